import type { ProgressEvent } from '../answers';
import { bytes, rows } from '../quantities';
import { printable } from '../text-table';
import type { ProgressView } from './progress-view';

/** A table that takes long says so no more often than this. */
const AGAIN_MS = 30_000;

/** Plain lines, for logs and mails: each begins with the time, and nothing is ever overwritten. */
export class LineView implements ProgressView {
  readonly #finished = new Map<string, Set<string>>();
  readonly #told = new Map<string, number>();
  readonly #attempts = new Map<string, number>();

  constructor(
    private readonly write: (line: string) => void,
    private readonly now: () => Date = () => new Date(),
  ) {}

  started(database: string, runId: string, isAttached: boolean): void {
    this.note(`${database}: run ${runId} ${isAttached ? 'is under way already; following it' : 'started'}`);
  }

  progress({ database, attempts, progress }: ProgressEvent): void {
    const finished = this.#finishedOf(database, attempts);
    for (const [table, { state, rows: count, bytes: size, estimated_rows }] of Object.entries(progress)) {
      if (finished.has(table)) continue;
      const name = `${database}.${table}`;
      if (state === 'finished') {
        finished.add(table);
        this.note(`${name}: finished, ${rows(count)} rows, ${bytes(size)}`);
      } else if (count > 0 && this.#isDue(name)) {
        this.note(`${name}: ${rows(count)} rows${estimated_rows ? ` of about ${rows(estimated_rows)}` : ''}`);
      }
    }
  }

  note(message: string): void {
    this.write(`${this.now().toISOString().slice(0, 19)}Z ${printable(message)}`);
  }

  ended(database: string): void {
    this.#finished.delete(database);
  }

  /** Another attempt begins at nothing. */
  #finishedOf(database: string, attempts: number): Set<string> {
    const before = this.#attempts.get(database) ?? 1;
    this.#attempts.set(database, attempts);
    if (attempts > before) {
      this.note(`${database}: attempt ${attempts}`);
      this.#finished.delete(database);
    }
    const finished = this.#finished.get(database) ?? new Set();
    this.#finished.set(database, finished);
    return finished;
  }

  #isDue(name: string): boolean {
    const now = this.now().getTime();
    if (now - (this.#told.get(name) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return false;
    this.#told.set(name, now);
    return true;
  }
}
