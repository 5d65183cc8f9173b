import type { LoadedTable } from './dataset/loaded-table';

/** What a contender is in the comparison. */
export type Role =
  /** The database's own way, which the others are told as a ratio of. */
  | 'reference'
  /** This project's script; all of them must write the same bytes. */
  | 'ours'
  /** Something else that reads the same table. */
  | 'other';

/** A program to start and to watch until it ends. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment, PATH and HOME aside; secrets stand here or in `stdin`, never in `args`. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Where stdout goes; otherwise it is handed to `output`. */
  readonly stdoutFile?: string;
  /** The process whose tree is measured, where it is not the started one; `ended` is aborted when that is over. */
  memoryOf?(ended: AbortSignal): Promise<number | undefined>;
}

/** What a run left behind; `bytes` is null where nothing was written. */
export interface Output {
  readonly rows: number;
  readonly bytes: number | null;
}

/** One way to read the whole table. */
export interface Contender {
  readonly id: string;
  readonly title: string;
  readonly role: Role;
  /** Counted rounds at most, for the slow ones; with 1 it does not warm up either. */
  readonly atMost?: number;
  /** Makes it ready to run and gives its version. Throws, with the reason for the report, where it cannot be had. */
  prepare(): Promise<string>;
  /** What to run. `folder` is empty, and gone after the run. */
  program(table: LoadedTable, folder: string): Promise<Program> | Program;
  /** What came of it, looked at after the clock has stopped. */
  output(table: LoadedTable, folder: string, stdout: string): Promise<Output>;
}
