import { type Lake, type RunRecord, runKeys, type ScriptEvent } from '@ingesta/kit';
import { BoundedLog, type LogLine } from './bounded-log';
import { changeRun, type OpenRun } from './run-store';
import { Progress } from './table-progress';

/** A run that says much is written down no more often than this. */
const FLUSH_MS = 2_000;

/**
 * What is written into a run's folder while it goes on: progress into its record, the script's words into its log, both
 * at a bounded rate and size. A write that fails while it runs is made up for by the next; `close` tells.
 */
export class RunJournal {
  #run: OpenRun;
  readonly #log = new BoundedLog();
  readonly #progress = new Progress();
  #logEtag: string | null = null;
  #dirty = { log: false, progress: false };
  #timer: NodeJS.Timeout | undefined;
  /** Writes go one after the other: each needs the ETag of the one before. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly lake: Lake,
    run: OpenRun,
    private readonly flushMs = FLUSH_MS,
  ) {
    this.#run = run;
  }

  get record(): RunRecord {
    return this.#run.record;
  }

  /** One event of the script, its secrets taken out already. */
  event(event: ScriptEvent): void {
    if (event.event === 'log') this.line(event);
    else if (event.event === 'table_finished') {
      this.line({ at: event.at, level: 'info', message: `${event.table}: ${event.rows} rows, ${event.bytes} bytes` });
    }
    if (this.#progress.note(event)) this.#dirty.progress = true;
    this.#schedule();
  }

  line(line: LogLine): void {
    this.#log.add(line);
    this.#dirty.log = true;
    this.#schedule();
  }

  /** Another attempt: its number and timestamp stand in the record before it is launched. */
  async attempt(attempts: number, timestamp: string): Promise<void> {
    this.#progress.clear();
    await this.#queued(() => this.#change({ attempts, timestamp, progress: {} }));
  }

  /** Writes what is still unwritten and closes the record; gives the one that stands then. Throws `LakeError`. */
  async close(end: Partial<RunRecord>): Promise<RunRecord> {
    clearTimeout(this.#timer);
    await this.#queued(() => this.#writeLog().catch(() => undefined));
    await this.#queued(() => this.#change({ ...end, progress: this.#progress.toRecord() }));
    return this.record;
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#queued(() => this.#flush());
    }, this.flushMs).unref();
  }

  async #flush(): Promise<void> {
    try {
      if (this.#dirty.log) await this.#writeLog();
      if (this.#dirty.progress) {
        this.#dirty.progress = false;
        await this.#change({ progress: this.#progress.toRecord() });
      }
    } catch {
      this.#dirty.progress = true; // The next flush writes what this one could not.
    }
  }

  #queued(work: () => Promise<void>): Promise<void> {
    const mine = this.#queue.then(work);
    this.#queue = mine.catch(() => undefined);
    return mine;
  }

  async #change(change: Partial<RunRecord>): Promise<void> {
    this.#run = await changeRun(this.lake, this.#run, change);
  }

  async #writeLog(): Promise<void> {
    if (!this.#dirty.log) return;
    const key = runKeys(this.record.database, this.record.run_id).log;
    const body = this.#log.toBuffer();
    try {
      const { etag } = await (this.#logEtag === null
        ? this.lake.putIfAbsent(key, body)
        : this.lake.putIfMatch(key, body, this.#logEtag));
      this.#logEtag = etag;
      this.#dirty.log = false;
    } catch (error) {
      // Nobody else writes it: whatever stands there is an earlier write of ours.
      this.#logEtag = (await this.lake.get(key))?.etag ?? null;
      throw error;
    }
  }
}
