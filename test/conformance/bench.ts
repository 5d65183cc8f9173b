import { randomUUID } from 'node:crypto';
import { type Dataset, type Job, type ScriptResult, type SourceDescription, timestampOf } from '@ingesta/kit';
import { readOutput } from './judge/read-output';
import type { JobRun } from './observation';
import type { Launch, Subject } from './subjects/subject';
import { readWhole, type TestLake, type TestLakes } from './test-lake';

type Env = Readonly<Record<string, string>>;

/** Objects larger than this are not read back: their rows stay uncounted. */
const MAX_READ_BYTES = 256 * 1024 * 1024;

/** The plain run that most checks look at: everything, as CSV, into an empty lake. */
export interface PlainRun extends JobRun {
  readonly lake: TestLake;
  /** Null where the run gave none. */
  readonly result: ScriptResult | null;
  /** Each table's object as it lies in the lake; null where it does not, or is too large to be read. */
  readonly bodies: ReadonlyMap<string, Buffer | null>;
}

/** What all checks of one subject share. */
export class Bench {
  /** Every launch with its job, in order: some checks look at all of them. */
  readonly runs: JobRun[] = [];
  #plain: Promise<PlainRun> | undefined;

  constructor(
    readonly subject: Subject,
    readonly description: SourceDescription,
    /** The source's variables under their main names, and the selection settings. */
    readonly settings: Env,
    readonly lakes: TestLakes,
    /** Queries of the source that are there to be tried. */
    readonly datasets: readonly Dataset[],
  ) {}

  /** A job of this source; `lake` are the lake's settings. */
  job(lake: Env, change: Partial<Job> = {}): Job {
    return {
      database: this.subject.name,
      run_id: randomUUID(),
      // Not the first: who writes 1 on trust answers another job.
      attempt: 2,
      nonce: randomUUID(),
      timestamp: timestampOf(new Date()),
      deadline: null,
      tables: null,
      format: 'csv',
      datasets: [],
      dry_run: false,
      ...change,
      env: { ...this.settings, ...lake, ...change.env },
    };
  }

  async run(job: Job, how: Partial<Omit<Launch, 'job' | 'description'>> = {}): Promise<JobRun> {
    const seen = await this.subject.launch({ by: 'stdin', ...how, job, description: this.description });
    const run = { job, seen };
    this.runs.push(run);
    return run;
  }

  /** Launched once, whoever asks first. */
  plain(): Promise<PlainRun> {
    this.#plain ??= this.export({});
    return this.#plain;
  }

  /** A whole run into a lake of its own, with what it left there. */
  async export(change: Partial<Job>, how?: Partial<Launch>): Promise<PlainRun> {
    const lake = await this.lakes.fresh();
    const run = await this.run(this.job(lake.env, change), how);
    const { output } = readOutput(run.seen);
    const result = run.seen.exitCode === 0 && output?.status === 'success' ? output : null;
    const bodies = new Map<string, Buffer | null>();
    for (const [table, { key }] of Object.entries(result?.result ?? {})) {
      const head = await lake.lake.head(key).catch(() => null);
      bodies.set(table, head && head.bytes <= MAX_READ_BYTES ? await readWhole(lake.lake, key) : null);
    }
    return { ...run, lake, result, bodies };
  }
}
