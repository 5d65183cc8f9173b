import type { Writable } from 'node:stream';
import { MultiBar, type SingleBar } from 'cli-progress';
import type { ProgressEvent, TableProgress } from '../answers';
import { bytes, rows } from '../quantities';
import { printable } from '../text-table';
import type { ProgressView } from './progress-view';

/** Bars at once: a screen holds no more, and each is redrawn. */
const MOST = 12;
const NAME_WIDTH = 32;

/** One bar per table that is being read; a finished one becomes a line above them. */
export class BarView implements ProgressView {
  readonly #bars = new Map<string, SingleBar>();
  readonly #finished = new Set<string>();
  readonly #multi: MultiBar;

  constructor(private readonly stream: Writable) {
    this.#multi = new MultiBar({
      stream: stream as NodeJS.WritableStream,
      format: '{name} {bar} {amount}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      // Output that is no terminal has lines instead.
      noTTYOutput: false,
    });
  }

  started(database: string, runId: string, isAttached: boolean): void {
    this.note(`${database}: run ${runId}${isAttached ? ', which was under way already' : ''}`);
  }

  progress({ database, attempts, progress }: ProgressEvent): void {
    for (const [table, state] of Object.entries(progress)) {
      // Of another attempt the tables come once more.
      const key = `${database}.${table} ${attempts}`;
      if (state.state === 'running') this.#draw(key, database, table, state);
      else if (!this.#finished.has(key)) {
        this.#finished.add(key);
        this.#remove(key);
        this.note(`✓ ${database}.${table}  ${rows(state.rows)} rows  ${bytes(state.bytes)}`);
      }
    }
  }

  note(message: string): void {
    const line = `${printable(message)}\n`;
    if (this.#bars.size === 0) this.stream.write(line);
    else this.#multi.log(line);
  }

  ended(database: string): void {
    for (const key of this.#bars.keys()) if (key.startsWith(`${database}.`)) this.#remove(key);
  }

  #draw(key: string, database: string, table: string, { rows: count, bytes: size, estimated_rows }: TableProgress) {
    const total = Math.max(estimated_rows ?? 0, count);
    const about = estimated_rows === null ? '' : ` of about ${rows(total)}`;
    const shown = {
      name: nameOf(`${database}.${table}`),
      amount: `${rows(count)}${about} rows  ${bytes(size)}`,
    };
    const bar = this.#bars.get(key);
    if (bar !== undefined) {
      bar.setTotal(total);
      bar.update(estimated_rows === null ? 0 : count, shown);
    } else if (this.#bars.size < MOST) {
      this.#bars.set(key, this.#multi.create(total, estimated_rows === null ? 0 : count, shown));
    }
  }

  #remove(key: string): void {
    const bar = this.#bars.get(key);
    if (bar === undefined) return;
    this.#multi.remove(bar);
    this.#bars.delete(key);
    // Its timer would keep the process, and the cursor hidden.
    if (this.#bars.size === 0) this.#multi.stop();
  }
}

function nameOf(name: string): string {
  const shown = printable(name);
  return shown.length <= NAME_WIDTH ? shown.padEnd(NAME_WIDTH) : `${shown.slice(0, NAME_WIDTH - 1)}…`;
}
