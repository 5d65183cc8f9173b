import { LakeError } from './lake';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null)?.code;

/** Whether the error says that the file does not exist. */
export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/** Whether the error says that the file exists already. */
export const isTaken = (error: unknown): boolean => codeOf(error) === 'EEXIST';

/** The `LakeError` for a failed call on the files of `folder`. */
export const fileError = (error: unknown, folder: string): LakeError => {
  if (error instanceof LakeError) return error;
  const cause = error as NodeJS.ErrnoException;
  const failure = (kind: 'denied' | 'unavailable', message: string, hint: string) =>
    new LakeError(kind, `${message} (${cause.code ?? cause.message})`, hint, { cause });
  switch (cause.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return failure('denied', `there is no folder ${folder}`, 'Create it, mount it, or correct LAKE_URL.');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return failure(
        'denied',
        `not allowed to use the folder ${folder}`,
        'Give the user that runs this process read and write rights on it, on a file system with hard links.',
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return failure(
        'unavailable',
        `the disk of ${folder} is full`,
        'Free some space, then retry; nothing half-written stays.',
      );
    default:
      return failure('unavailable', `the folder ${folder} cannot be used right now`, 'Check its disk, then retry.');
  }
};
