import { SqlProblem } from '../engine';

/** What DuckDB says of a failure, with `errors_as_json` on. */
export interface DuckDbError {
  /** `Parser`, `Binder`, `Conversion`, `Out of Memory`, `IO`, `INTERRUPT` … */
  type: string;
  message: string;
  /** Offset in bytes into the text, where it points to one. */
  position: number | null;
}

/** Reads an error of DuckDB's, which is text or JSON behind its type's name; also where a `SqlProblem` was made of it. */
export function duckDbError(error: unknown): DuckDbError {
  if (error instanceof SqlProblem && error.cause !== undefined) return duckDbError(error.cause);
  const text = error instanceof Error ? error.message : String(error);
  const json = text.indexOf('{"exception_type"');
  if (json >= 0) {
    const parsed = parse(text.slice(json));
    if (parsed) return parsed;
  }
  const [, type = '', message = text] = /^([A-Za-z ]+?) Error: ([\s\S]*)$/.exec(text) ?? [];
  return { type, message, position: null };
}

function parse(text: string): DuckDbError | null {
  try {
    const { exception_type, exception_message, position } = JSON.parse(text);
    return {
      type: String(exception_type),
      message: String(exception_message),
      position: position === undefined ? null : Number(position),
    };
  } catch {
    // Text of the message may break DuckDB's JSON; the words are then told as they stand.
    return null;
  }
}

/** The offset in characters of one in UTF-8 bytes. */
export const characterOffset = (text: string, bytes: number): number =>
  Buffer.from(text).subarray(0, bytes).toString('utf8').length;

/** That a disk is full, or somebody's share of it, as Node or DuckDB say it. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  const { type, message } = duckDbError(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || (type === 'IO' && /no space left|quota exceeded/i.test(message));
}
