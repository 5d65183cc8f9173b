import type { ProgressEvent } from '../answers';

/** Shows runs as they go on. */
export interface ProgressView {
  started(database: string, runId: string, isAttached: boolean): void;
  progress(event: ProgressEvent): void;
  /** Something to be told in between: a lost connection, a wait. */
  note(message: string): void;
  /** No more of this run: what it left on the screen goes. */
  ended(database: string): void;
}

/** For those who only want the end: troubles are told all the same. */
export const silentView = (write: (line: string) => void): ProgressView => ({
  started: () => undefined,
  progress: () => undefined,
  note: write,
  ended: () => undefined,
});
