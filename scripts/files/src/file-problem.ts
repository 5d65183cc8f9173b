/** Content that cannot be read as what it claims to be. Neither text shows any value of the file. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
  constructor(
    message: string,
    /** What to do next. */
    readonly hint: string,
  ) {
    super(message);
  }
}

/** A problem of one line, the first of the file being 1. */
export const lineProblem = (line: number, message: string, hint: string): FileProblem =>
  new FileProblem(`line ${line}: ${message}`, hint);

/** Longest field, or line of JSON: it has to be in memory as a whole. */
export const MAX_FIELD_BYTES = 256 * 1024 * 1024;

/** A field or line over `MAX_FIELD_BYTES`. */
export const tooLong = (line: number, what: string): FileProblem =>
  lineProblem(line, `${what} is over 256 MiB`, 'If a quote is never closed above it, that is the line to correct.');
