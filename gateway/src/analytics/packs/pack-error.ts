/** One thing that is wrong with a pack. */
export interface PackProblem {
  /** As people find it: the path of the file, or of the folder. */
  file: string;
  /** 1-based; null where it is about the file as a whole. */
  line: number | null;
  message: string;
}

/** Notes a problem of the file that is being read. */
export type Report = (line: number | null, message: string) => void;

/** All that is wrong with the packs, in one error. */
export class PackError extends Error {
  override readonly name = 'PackError';
  constructor(readonly problems: readonly PackProblem[]) {
    const lines = problems.map(
      ({ file, line, message }) => `  - ${file}${line === null ? '' : `:${line}`}: ${message}`,
    );
    super(
      `The analytics packs have ${problems.length} problem(s):\n${lines.join('\n')}\n` +
        'Correct the files and start again (docs/analytics.md), or choose other packs with PACKS; PACKS=none starts without any.',
    );
  }
}
