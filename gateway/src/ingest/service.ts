import { randomUUID } from 'node:crypto';
import {
  type Lake,
  LakeError,
  type RunRecord,
  redactor,
  ScriptError,
  type ScriptPlan,
  type ScriptResult,
  timestampOf,
} from '@ingesta/kit';
import { uuidv7 } from 'uuidv7';
import { asApiError } from '../as-api-error';
import type { Config } from '../config';
import { ApiError } from '../errors';
import { type Log, secretValues } from '../log';
import type { JobSpec, LaunchableSource, Runner } from '../runners/runner';
import { publish, readCurrent, UnclearPublication } from '../runs/publication';
import { closeRun, type OpenRun, openRun } from '../runs/run-store';
import type { Timestamps } from '../runs/timestamps';
import { verifyResult } from '../runs/verify';
import { type CredentialEnv, compileJob, type IngestRequest, type LakeFolder, type RunIdentity } from './job';
import { logEvent } from './log-event';
import { readResult, type ScriptSuccess } from './read-result';

/** What an ingestion needs from outside. */
export interface IngestServices {
  config: Config;
  lake: () => Promise<Lake>;
  runner: Runner;
  log: Log;
  timestamps: Timestamps;
  /** Credentials for the script, resolved for each run: they may have rotated. */
  credentials: () => Promise<CredentialEnv>;
  lakeFolder: () => Promise<LakeFolder | null>;
}

/** The main job: one POST is one run of one database. */
export class IngestService {
  readonly #running = new Map<string, string>();
  readonly #stop = new AbortController();

  constructor(private readonly services: IngestServices) {}

  /** Launches, waits, verifies, publishes. Throws `ApiError` with the run's id; then nothing was published. */
  async ingest(database: string, request: IngestRequest): Promise<ScriptResult | ScriptPlan> {
    const runId = this.#begin(database);
    const log = this.services.log.child({ run_id: runId, database });
    try {
      const source = await this.services.runner.resolve(database);
      const spec = await this.#compile(source, request, this.#identify(database, runId));
      log.info('run started', {
        runner: source.runner,
        image: source.reference,
        tables: request.tables,
        dry_run: request.dryRun,
      });
      const result = request.dryRun ? await this.#launch(spec, null, log) : await this.#record(spec, log);
      log.info('run finished', result.status === 'success' ? { tables: Object.keys(result.result).length } : {});
      return result;
    } catch (error) {
      const failure = asApiError(error, database, runId);
      log.error(failure.message, { code: failure.code, hint: failure.hint, ...deeperCause(error) });
      throw failure;
    } finally {
      this.#running.delete(database);
    }
  }

  /** Stops the runs under way; each answers its caller and leaves nothing behind. */
  async stop(): Promise<void> {
    this.#stop.abort();
    while (this.#running.size > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  #begin(database: string): string {
    const running = this.#running.get(database);
    if (running !== undefined) {
      throw new ApiError('RUN_IN_PROGRESS', `An ingestion of ${database} is running`, {
        database,
        runId: running,
      });
    }
    if (this.#stop.signal.aborted) throw new ApiError('LEASE_LOST', 'This gateway is shutting down', { database });
    const runId = uuidv7();
    this.#running.set(database, runId);
    return runId;
  }

  /** For sources that exist: whoever asks for others must not make `timestamps` remember them. */
  #identify(database: string, runId: string): RunIdentity {
    const at = this.services.timestamps.next(database);
    return {
      runId,
      attempt: 1,
      nonce: randomUUID(),
      timestamp: timestampOf(at),
      deadline: new Date(Date.now() + this.services.config.runTimeoutSeconds * 1000),
    };
  }

  async #compile(source: LaunchableSource, request: IngestRequest, run: RunIdentity): Promise<JobSpec> {
    const { config, credentials, lakeFolder } = this.services;
    const [keys, folder] = request.dryRun ? [{}, null] : await Promise.all([credentials(), lakeFolder()]);
    return compileJob(config, source, request, run, keys, folder);
  }

  /** A run that leaves records: the record is written first, so that no export is without one. */
  async #record(spec: JobSpec, log: Log): Promise<ScriptResult> {
    const lake = await this.services.lake();
    const base = await readCurrent(lake, spec.job.database);
    const run = await openRun(lake, recordOf(spec));
    try {
      const result = await this.#launch(spec, lake, log);
      if (result.status !== 'success') throw new Error('readResult let a plan through');
      await verifyResult(lake, spec.job, result);
      const { SENSITIVE_COLUMNS: add, SENSITIVE_COLUMNS_ALLOW: allow } = this.services.config.env;
      const imageDigest = spec.source.digest;
      await publish(lake, { result, imageDigest, base, partial: spec.job.tables !== null, settings: { add, allow } });
      await close(lake, run, { state: 'succeeded', consistency: result.consistency }, log);
      return result;
    } catch (error) {
      // Unknown is not failed.
      if (error instanceof UnclearPublication) throw error;
      const { code, message, hint } = asApiError(error);
      await close(lake, run, { state: 'failed', error: { code, message, hint } }, log);
      throw error;
    }
  }

  async #launch(spec: JobSpec, lake: Lake | null, log: Log): Promise<ScriptSuccess> {
    // The script ends itself at its deadline; this is for one that does not.
    const overdue = AbortSignal.timeout(this.services.config.runTimeoutSeconds * 1000 + OVERDUE_MS);
    const signal = AbortSignal.any([this.#stop.signal, overdue]);
    const redact = redactor(secretsOf(spec));
    const outcome = await this.services.runner.run(spec, signal, (event) => logEvent(log, event, redact));
    if (this.#stop.signal.aborted) throw new ApiError('LEASE_LOST', 'This gateway was shut down during the run');
    if (overdue.aborted) throw new ApiError('RUN_TIMEOUT', 'The script ran past its deadline and was stopped');
    return readResult(outcome, spec.job, lake, redact);
  }
}

/** What a script gets beyond its deadline before the gateway stops it. */
const OVERDUE_MS = 5_000;

const recordOf = ({ source, job }: JobSpec): RunRecord => ({
  run_id: job.run_id,
  database: job.database,
  state: 'running',
  started_at: new Date().toISOString(),
  finished_at: null,
  timestamp: job.timestamp,
  request: { tables: job.tables, format: job.format, dry_run: job.dry_run },
  runner: source.runner,
  image: source.reference,
  image_digest: source.digest,
  attempts: job.attempt,
  consistency: null,
  duration_ms: null,
  error: null,
});

/** What the script was given that must show nowhere: also what came from files or from the AWS SDK. */
const secretsOf = ({ source, job }: JobSpec): string[] =>
  secretValues(
    job.env,
    source.description.env.filter(({ secret }) => secret).map(({ name }) => name),
  );

/** Never throws: by now the run is published or has failed, and a record that goes on saying "running" changes neither. */
async function close(lake: Lake, run: OpenRun, end: Partial<RunRecord>, log: Log): Promise<void> {
  const now = new Date();
  const duration_ms = now.getTime() - Date.parse(run.record.started_at);
  try {
    await closeRun(lake, run, { ...end, finished_at: now.toISOString(), duration_ms });
  } catch (error) {
    log.warn('the run record could not be closed', { cause: causeOf(error) });
  }
}

const isTold = (error: unknown) =>
  error instanceof ApiError || error instanceof LakeError || error instanceof ScriptError;

/** What lies below a failure's own message, for the log; nothing if that message says it all. */
function deeperCause(error: unknown): { cause?: string } {
  if (!isTold(error)) return { cause: causeOf(error) };
  const { cause } = error as Error;
  return cause === undefined ? {} : { cause: causeOf(cause) };
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = isTold(error) ? error.message : (error.stack ?? error.message);
  return error.cause === undefined ? text : `${text} | caused by ${causeOf(error.cause)}`;
}
