import { type BigIntStats, constants, type Dirent } from 'node:fs';
import { lstat, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { configError, failed, type ScriptError } from '@ingesta/kit';
import { FileChanged, type FoundFile, type Origin } from './origin';

const CHUNK_BYTES = 256 * 1024;
/** No link at the end of the path; no waiting for whoever writes into a pipe. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Files of a local folder. */
export class FolderOrigin implements Origin {
  readonly url: string;

  private constructor(readonly folder: string) {
    this.url = folder;
  }

  /** Throws `configError` unless the folder is there and can be read. */
  static async open(folder: string): Promise<FolderOrigin> {
    const facts = await stat(folder).catch((error) => {
      throw folderError(error, folder);
    });
    if (!facts.isDirectory())
      throw configError(`FILES_PATH names no folder: ${folder}`, 'Give the folder of the files.');
    await entriesOf(folder);
    return new FolderOrigin(folder);
  }

  async *list(base = ''): AsyncGenerator<FoundFile, void, undefined> {
    for (const entry of await entriesOf(join(this.folder, base))) {
      if (entry.name.startsWith('.')) continue;
      const path = base + entry.name;
      if (entry.isDirectory()) yield* this.list(`${path}/`);
      else if (entry.isFile()) {
        const facts = await this.#facts(path);
        if (facts?.isFile()) yield { path, bytes: Number(facts.size), version: versionOf(facts) };
      }
    }
  }

  async *read(file: FoundFile, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const handle = await open(join(this.folder, file.path), FLAGS).catch((error) => {
      if (isGone(error)) throw new FileChanged();
      throw readError(error, file.path);
    });
    try {
      const facts = await handle.stat({ bigint: true });
      if (versionOf(facts) !== file.version) throw new FileChanged();
      const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      for (;;) {
        signal.throwIfAborted();
        const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES).catch((error) => {
          throw readError(error, file.path);
        });
        if (bytesRead === 0) return;
        yield chunk.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }

  async isUnchanged(file: FoundFile): Promise<boolean> {
    const facts = await this.#facts(file.path);
    return facts !== null && versionOf(facts) === file.version;
  }

  async close(): Promise<void> {}

  #facts(path: string): Promise<BigIntStats | null> {
    return lstat(join(this.folder, path), { bigint: true }).catch((error) => {
      if (isGone(error)) return null;
      throw readError(error, path);
    });
  }
}

const versionOf = ({ dev, ino, size, mtimeNs }: BigIntStats): string => [dev, ino, size, mtimeNs].join('-');

/** In one order everywhere. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw folderError(error, folder);
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
/** ELOOP: a link took its place. */
const isGone = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error));

function folderError(error: unknown, folder: string): ScriptError {
  const hint =
    'Is FILES_PATH right as seen from the script, and may its user (1000 in the image) read it? In a container only ' +
    'mounted folders exist: under the gateway put the files into the lake and set FILES_LAKE_PREFIX.';
  return configError(`The folder ${folder} cannot be read (${codeOf(error)})`, hint);
}

function readError(error: unknown, path: string): ScriptError {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return configError(
      `The file ${path} may not be read (${code})`,
      'Let the user of the script read it, or move it away.',
    );
  }
  return failed(`The file ${path} cannot be read (${code})`, 'Check the disk that it is on.', error);
}
