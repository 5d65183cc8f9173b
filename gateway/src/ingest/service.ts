import type { Manifest, RunRecord, ScriptPlan } from '@ingesta/kit';
import { uuidv7 } from 'uuidv7';
import { asApiError } from '../as-api-error';
import { ApiError } from '../errors';
import type { Log } from '../log';
import type { LaunchableSource } from '../runners/runner';
import { runInProgress } from '../runs/acquire-lease';
import { untilAborted } from '../until-aborted';
import { deeperCause } from './cause-of';
import type { IngestRequest } from './job';
import { launch, leadRun, type PlannedRun, type RunServices } from './lead-run';
import { cancelled } from './recorded-run';
import type { PublishedRun, RunAnswer } from './run-answer';
import { RunSlots } from './run-slots';

/** What ingestions need from outside. */
export interface IngestServices extends RunServices {
  log: Log;
  /**
   * Told of each snapshot that was published, when its run is over; what it says by table stands in the answer as
   * `analytics`. Answers soon and never rejects: what it begins goes on beside.
   */
  published?: (manifest: Manifest) => Promise<Record<string, string>>;
}

/** A run that has a record: its end can be waited for, here or elsewhere. */
export interface StartedRun {
  runId: string;
  /** Rejects with the `ApiError` that the run ended with. */
  done: Promise<RunAnswer>;
}

/** A run of this gateway. */
interface OwnRun {
  runId: string;
  /** Settled when the run is known to have begun, or to have been refused. */
  begun: Promise<unknown>;
  halt: AbortController;
}

/** What a script gets beyond its deadline before the gateway stops it. */
const OVERDUE_MS = 5_000;

/** The main job: one POST is one run of one database. */
export class IngestService {
  readonly #own = new Map<string, OwnRun>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #halts = new Set<AbortController>();
  readonly #launched = new Set<string>();
  readonly #slots: RunSlots;
  #stopped = false;

  constructor(private readonly services: IngestServices) {
    this.#slots = new RunSlots(services.config.maxConcurrentRuns, services.config.maxQueuedRuns);
  }

  /** Whether a run of `database` is under way, or about to be, in this gateway. */
  isBusy(database: string): boolean {
    return this.#own.has(database);
  }

  /** Runs that have their turn, and those that wait for it. */
  load(): { running: number; queued: number } {
    return this.#slots.load();
  }

  /** Whether a launch is this gateway's own, under way. */
  isOwn(runId: string): boolean {
    return this.#launched.has(runId);
  }

  /** Says which tables and columns a run would take. Leaves no trace. Throws `ApiError`. */
  plan(database: string, request: IngestRequest): Promise<ScriptPlan> {
    const runId = uuidv7();
    return this.#told(database, runId, (log, halt) =>
      this.#inSlot(halt, async (deadline) => {
        const source = await this.#resolve(database, halt);
        const { output } = await launch(
          this.services,
          { database, request, runId, requestedBy: null, log, halt, source, deadline },
          null,
        );
        if (output.status !== 'planned') throw new Error('readResult let a result through');
        return output;
      }),
    );
  }

  /** Launches, waits, verifies, publishes. Throws `ApiError` with the run's id; then nothing was published. */
  async ingest(database: string, request: IngestRequest): Promise<RunAnswer> {
    return (await this.start(database, request)).done;
  }

  /** Resolves when the run has its lease and its record. Throws `ApiError` when it is not to be. */
  async start(
    database: string,
    request: IngestRequest,
    runId = uuidv7(),
    requestedBy: string | null = null,
  ): Promise<StartedRun> {
    const rival = this.#own.get(database);
    if (rival !== undefined) {
      await rival.begun;
      throw runInProgress(database, rival.runId);
    }
    let onRecorded: () => void = () => undefined;
    const recorded = new Promise<void>((resolve) => {
      onRecorded = resolve;
    });
    const halt = new AbortController();
    const done = this.#told(
      database,
      runId,
      (log) => this.#run({ database, request, runId, requestedBy, log, halt }, onRecorded),
      halt,
    );
    const begun = Promise.race([recorded, done]);
    begun.catch(() => undefined);
    this.#own.set(database, { runId, begun, halt });
    const forget = () => this.#own.delete(database);
    done.then(forget, forget);
    await begun;
    const answered = this.#answered(done);
    this.#track(answered);
    return { runId, done: answered };
  }

  /** Ends a run of this gateway at once; false if it is none. */
  cancel({ database, run_id: runId }: Pick<RunRecord, 'database' | 'run_id'>): boolean {
    const own = this.#own.get(database);
    if (own?.runId !== runId) return false;
    own.halt.abort(cancelled(database, runId));
    return true;
  }

  /** Stops the runs under way; each answers its caller, frees its lease, and leaves nothing behind. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const halt of this.#halts) halt.abort(new ApiError('LEASE_LOST', 'This gateway was shut down during the run'));
    while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay]);
  }

  /** The database is free again while those wait who are told of its new snapshot. */
  async #answered(done: Promise<PublishedRun>): Promise<RunAnswer> {
    const { answer, manifest } = await done;
    const { published } = this.services;
    return published === undefined ? answer : { ...answer, analytics: await published(manifest) };
  }

  /** `stop` waits for it. */
  #track(work: Promise<unknown>): void {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
  }

  /** Runs `work` so that its failure is logged once and carries the run's id. */
  #told<T>(
    database: string,
    runId: string,
    work: (log: Log, halt: AbortController) => Promise<T>,
    halt = new AbortController(),
  ): Promise<T> {
    const log = this.services.log.child({ run_id: runId, database });
    const told = async (): Promise<T> => {
      if (this.#stopped) throw new ApiError('LEASE_LOST', 'This gateway is shutting down', { database });
      this.#halts.add(halt);
      this.#launched.add(runId);
      try {
        return await work(log, halt);
      } catch (error) {
        const failure = asApiError(error, database, runId);
        const level = failure.code === 'RUN_IN_PROGRESS' ? 'info' : 'error';
        log.log(level, failure.message, { code: failure.code, hint: failure.hint, ...deeperCause(error) });
        throw failure;
      } finally {
        this.#halts.delete(halt);
        this.#launched.delete(runId);
      }
    };
    const running = told();
    this.#track(running);
    return running;
  }

  /** Waits for a turn; from then on the run has so long. */
  async #inSlot<T>(halt: AbortController, work: (deadline: Date) => Promise<T>): Promise<T> {
    const giveBack = await this.#slots.take();
    const ms = this.services.config.runTimeoutSeconds * 1000;
    const late = () => halt.abort(new ApiError('RUN_TIMEOUT', 'The run was not over at its deadline, and was stopped'));
    // The script ends itself at its deadline; this is for one that does not, and for a long verification.
    const overdue = setTimeout(late, ms + OVERDUE_MS);
    try {
      halt.signal.throwIfAborted();
      return await work(new Date(Date.now() + ms));
    } finally {
      clearTimeout(overdue);
      giveBack();
    }
  }

  /** An image may take its time to describe itself: the run ends in time all the same. */
  #resolve(database: string, halt: AbortController): Promise<LaunchableSource> {
    return untilAborted(this.services.runner.resolve(database), halt.signal);
  }

  #run(asked: Omit<PlannedRun, 'source' | 'deadline'>, onRecorded: () => void): Promise<PublishedRun> {
    return this.#inSlot(asked.halt, async (deadline) => {
      const run = { ...asked, deadline, source: await this.#resolve(asked.database, asked.halt) };
      const ran = leadRun(this.services, run, onRecorded);
      // From here on the source is known to exist: its name may become a label.
      return this.services.metrics?.run(run.database, ran) ?? ran;
    });
  }
}
