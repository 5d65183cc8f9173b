import { type Lake, type Manifest, type RunRecord, runKeys, type ScriptResult, timestampOf } from '@ingesta/kit';
import { asApiError } from '../as-api-error';
import { ApiError } from '../errors';
import type { Log } from '../log';
import type { JobSpec } from '../runners/runner';
import type { Acquired } from '../runs/acquire-lease';
import { adjudicate } from '../runs/adjudicate';
import { type Fence, fence } from '../runs/fence';
import { renewLatestCopies } from '../runs/latest-copies';
import { mustBeWhole, publish, UnclearPublication } from '../runs/publication';
import { RunJournal } from '../runs/run-journal';
import { openRun } from '../runs/run-store';
import type { Verifier } from '../runs/verifier/verifier';
import { claimedObjects, verifyResult } from '../runs/verify';
import { causeOf } from './cause-of';
import type { ScriptSuccess } from './read-result';
import { answerOf, type PublishedRun } from './run-answer';

/** What a run that leaves records is made of. */
export interface RecordedRun {
  lake: Lake;
  acquired: Acquired;
  database: string;
  runId: string;
  gateway: string;
  /** Who asked for it; null where nobody had to say. */
  requestedBy: string | null;
  /** The job as its first attempt will be launched, but for its timestamp and nonce. */
  sketch: JobSpec;
  settings: { add?: string; allow?: string };
  /** Reads the objects back; null where the lake's word is enough. */
  verifier: Verifier | null;
  /** Told of a database where the run of a gateway that is gone turned out to be published. */
  recovered: (database: string) => void;
  /** Keys of the stable copies; null where there are none. */
  latestTemplate: string | null;
  log: Log;
  /** Aborted when the run must end, with the `ApiError` to end with as its reason. */
  halt: AbortController;
  /** Called once the record is there: from now on the run can be asked for. */
  onRecorded: () => void;
  launch: (journal: RunJournal) => Promise<{ spec: JobSpec; output: ScriptSuccess }>;
}

/**
 * One run under its lease, straight down: fence, record, launch, verify, publish, copy, close, release. Whatever fails, the
 * record is closed before the lease is released; where that cannot be done, or nobody knows whether the run was
 * published, the lease is left to run out, and whoever takes it over looks.
 */
export async function runRecorded(run: RecordedRun): Promise<PublishedRun> {
  const { lake, acquired, database, runId, log, halt } = run;
  const { lease } = acquired;
  const onLost = () => halt.abort(lease.signal.reason);
  lease.signal.addEventListener('abort', onLost, { once: true });
  if (lease.signal.aborted) onLost();
  void lease.keep(() => void haltIfCancelled(lake, database, runId, halt));
  let journal: RunJournal | null = null;
  // Whether nothing is left to be said of the run by whoever takes over.
  let settled = true;
  try {
    const base = await fence(lake, database, lease.record.epoch);
    if (run.sketch.job.tables !== null) mustBeWhole(database, base);
    for (const orphan of lease.record.orphans) await bury(run, orphan);
    settled = false;
    journal = new RunJournal(lake, await openRun(lake, recordOf(run)));
    run.onRecorded();
    const { spec, output } = await run.launch(journal);
    const { result: claimed, manifest } = await verifyAndPublish(run, base, spec, output);
    const result = { ...claimed, warnings: [...claimed.warnings, ...(await copyLatest(run, manifest, journal))] };
    const { consistency, warnings } = result;
    const closed = await close(journal, { state: 'succeeded', consistency, warnings }, log);
    settled = closed !== null;
    return { answer: answerOf(result, closed ?? journal.record), manifest };
  } catch (error) {
    // Unknown is not failed.
    if (error instanceof UnclearPublication) throw error;
    const { code, message, hint } = asApiError(error);
    const state = code === 'RUN_CANCELLED' ? 'cancelled' : 'failed';
    if (journal) settled = (await close(journal, { state, error: { code, message, hint } }, log)) !== null;
    throw error;
  } finally {
    if (settled) await lease.release();
    else lease.abandon();
  }
}

async function verifyAndPublish(
  { lake, acquired, database, runId, halt, settings, verifier }: RecordedRun,
  base: Fence,
  spec: JobSpec,
  output: ScriptSuccess,
): Promise<{ result: ScriptResult; manifest: Manifest }> {
  if (output.status !== 'success') throw new Error('readResult let a plan through');
  await verifyResult(lake, spec.job, output);
  await verifier?.readBack(claimedObjects(spec.job, output), halt.signal);
  // Renewals look for a mark too, but seconds apart: who was told that it is being cancelled must not see it published.
  await haltIfCancelled(lake, database, runId, halt);
  halt.signal.throwIfAborted();
  // The fence alone decides; a holder that is in doubt about its lease asks before it tries.
  if (!acquired.lease.safe) await acquired.lease.confirm();
  const partial = spec.job.tables !== null;
  const publication = { result: output, imageDigest: spec.source.digest, base, partial, settings };
  return { result: output, manifest: await publish(lake, publication) };
}

/** The run has succeeded already, whatever becomes of the copies: what to warn of. */
async function copyLatest(run: RecordedRun, manifest: Manifest, journal: RunJournal): Promise<string[]> {
  const { lake, acquired, latestTemplate: template, halt, log } = run;
  if (template === null) return [];
  const mayWrite = async () => {
    halt.signal.throwIfAborted();
    if (!acquired.lease.safe) await acquired.lease.confirm();
  };
  const warnings = await renewLatestCopies({ lake, manifest, template, mayWrite, signal: halt.signal });
  for (const message of warnings) {
    log.warn(message);
    journal.line({ at: new Date().toISOString(), level: 'warn', message });
  }
  return warnings;
}

/** A cancel mark, which any gateway may have left. A lake that does not answer is asked again at the next renewal. */
async function haltIfCancelled(lake: Lake, database: string, runId: string, halt: AbortController): Promise<void> {
  const mark = await lake.get(runKeys(database, runId).cancel).catch(() => null);
  if (mark !== null) halt.abort(cancelled(database, runId));
}

export const cancelled = (database: string, runId: string): ApiError =>
  new ApiError('RUN_CANCELLED', 'The run was cancelled', { database, runId });

/** The next run must not fail because nobody can say how an earlier one ended: that stays noted in the lease. */
async function bury({ acquired, lake, database, recovered, log }: RecordedRun, runId: string): Promise<void> {
  try {
    const record = await adjudicate(lake, database, runId);
    acquired.lease.buried(runId);
    // The run that follows may fail, and then tell nobody.
    if (record?.state === 'succeeded') recovered(database);
    log.warn('took over from a gateway that went away', {
      predecessor: runId,
      ended: record?.state ?? 'before it began',
    });
  } catch (error) {
    log.warn('a run before could not be closed', { predecessor: runId, cause: causeOf(error) });
  }
}

/** Null where the record could not be written: the run is over all the same. */
async function close(journal: RunJournal, end: Partial<RunRecord>, log: Log): Promise<RunRecord | null> {
  const now = new Date();
  const duration_ms = now.getTime() - Date.parse(journal.record.started_at);
  try {
    return await journal.close({ ...end, finished_at: now.toISOString(), duration_ms });
  } catch (error) {
    log.warn('the run record could not be closed', { cause: causeOf(error) });
    return null;
  }
}

const recordOf = ({ acquired, gateway, requestedBy, sketch: { source, job } }: RecordedRun): RunRecord => ({
  run_id: job.run_id,
  database: job.database,
  state: 'running',
  revision: 0,
  epoch: acquired.lease.record.epoch,
  gateway,
  requested_by: requestedBy,
  started_at: new Date().toISOString(),
  finished_at: null,
  deadline: job.deadline,
  timestamp: timestampOf(new Date(acquired.lease.record.last_timestamp * 1000)),
  request: { tables: job.tables, format: job.format, dry_run: job.dry_run },
  runner: source.runner,
  image: source.reference,
  image_digest: source.digest,
  attempts: 1,
  consistency: null,
  duration_ms: null,
  progress: {},
  warnings: [],
  error: null,
});
