import { createHash } from 'node:crypto';
import {
  type IdempotencyRecord,
  idempotencyKey,
  idempotencyRecordSchema,
  type Lake,
  LakeError,
  type RunRecord,
} from '@ingesta/kit';
import { uuidv7 } from 'uuidv7';
import { asApiError } from '../as-api-error';
import { ApiError, ERRORS, isErrorCode } from '../errors';
import { type Clock, systemClock } from '../runs/clock';
import { readRecord } from '../runs/read-record';
import { followRun } from '../runs/run-events';
import { isOver, readRun } from '../runs/run-store';
import { ANYBODY } from '../security/principal';
import type { IngestRequest } from './job';
import { type RunAnswer, storedAnswer, storedFailure } from './run-answer';
import type { IngestService, StartedRun } from './service';

/** What a key may be: visible ASCII, as the draft's structured header has it without its quotes. */
const KEY = /^[\x21-\x7e]{1,255}$/;
const LOOK_MS = 500;
/** Beats in the time after which a run that has not begun is given up for lost. */
const BEATS = 6;

export interface Submission {
  database: string;
  request: IngestRequest;
  /** `Idempotency-Key`, or null: then every request is a run. */
  key: string | null;
  /** Who asks, and the actual path: a key means nothing elsewhere. */
  principal: string;
  path: string;
}

type Stored = { record: IdempotencyRecord; etag: string };

/**
 * Starts runs, at most one for each key: a repeated request gets the same run's answer, from any gateway, while it runs
 * and afterwards. The key's record is written before the lease is asked for, so that no run can be missing from it.
 */
export class Submissions {
  readonly #awaited = new Map<string, Promise<RunAnswer>>();

  constructor(
    private readonly services: {
      ingestion: Pick<IngestService, 'start'>;
      lake: () => Promise<Lake>;
      leaseTtlMs: number;
    },
    private readonly clock: Clock = systemClock,
  ) {}

  /** Throws `ApiError` where the run is not to be: also the refusal that an earlier request under the key got. */
  async submit({ database, request, key, principal, path }: Submission): Promise<StartedRun> {
    const requestedBy = principal === ANYBODY.name ? null : principal;
    if (key === null) return this.services.ingestion.start(database, request, undefined, requestedBy);
    if (!KEY.test(key)) throw new ApiError('INVALID_REQUEST', 'Idempotency-Key: 1 to 255 visible ASCII characters');
    const lake = await this.services.lake();
    const at = idempotencyKey(sha256(JSON.stringify([principal, 'POST', path, key])));
    const fingerprint = sha256(JSON.stringify([request.tables, request.format]));
    let waiting = { etag: '', since: 0 };
    for (;;) {
      const stored = await readRecord(lake, at, idempotencyRecordSchema);
      if (stored !== null && stored.record.fingerprint !== fingerprint) {
        throw new ApiError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used for another request', { database });
      }
      const known = stored && (await this.#known(lake, database, stored));
      if (known !== null && known !== 'absent') return known;
      if (stored !== null && known === 'absent') {
        // About to begin, which its gateway says again and again, or that gateway has died.
        const { etag } = stored;
        if (waiting.etag !== etag) waiting = { etag, since: this.clock.mono() };
        if (this.clock.mono() - waiting.since < this.#lostAfterMs) {
          await this.clock.sleep(LOOK_MS);
          continue;
        }
      }
      const mine: IdempotencyRecord = { fingerprint, run_id: uuidv7(), state: 'taken', beat: 0, error: null };
      const etag = await write(lake, at, mine, stored?.etag ?? null);
      if (etag !== null) return this.#start(lake, at, { record: mine, etag }, { database, request, requestedBy });
    }
  }

  /** No claim of a lease takes longer. */
  get #lostAfterMs(): number {
    return 2 * this.services.leaseTtlMs;
  }

  /** The answer that the record leads to; `absent` where its run has no record, null where a new run is to answer. */
  async #known(lake: Lake, database: string, { record }: Stored): Promise<StartedRun | 'absent' | null> {
    if (record.state === 'open') return null;
    if (record.state === 'refused') throw kept(refusalOf(record, database));
    const run = await readRun(lake, database, record.run_id);
    if (run === null) return 'absent';
    const { run_id: runId } = run.record;
    if (!isOver(run.record)) return { runId, done: this.#joined(lake, run.record) };
    if (run.record.state === 'succeeded') return { runId, done: storedAnswer(lake, run.record) };
    const failure = storedFailure(run.record);
    if (isDefinitive(failure)) throw kept(failure);
    return null;
  }

  /** The end of a run under way, looked for once for all who wait here: nobody tells when one of them hangs up. */
  #joined(lake: Lake, run: RunRecord): Promise<RunAnswer> {
    const { run_id: runId } = run;
    const known = this.#awaited.get(runId);
    if (known !== undefined) return known;
    const end = this.#endOf(lake, run);
    this.#awaited.set(runId, end);
    const forget = () => void this.#awaited.delete(runId);
    end.then(forget, forget);
    return end;
  }

  async #endOf(lake: Lake, run: RunRecord): Promise<RunAnswer> {
    const { signal } = new AbortController();
    const look = () => readRun(lake, run.database, run.run_id);
    for await (const record of followRun(look, run.revision, this.clock, signal)) {
      if (record === null || !isOver(record)) continue;
      if (record.state === 'succeeded') return storedAnswer(lake, record);
      throw storedFailure(record);
    }
    throw new Error('followRun ended before its run');
  }

  async #start(
    lake: Lake,
    at: string,
    mine: Stored,
    asked: { database: string; request: IngestRequest; requestedBy: string | null },
  ): Promise<StartedRun> {
    const { database, request, requestedBy } = asked;
    const begun = new AbortController();
    const beating = this.#beat(lake, at, mine, begun.signal);
    try {
      return await this.services.ingestion.start(database, request, mine.record.run_id, requestedBy);
    } catch (error) {
      const failure = asApiError(error, database, mine.record.run_id);
      const { code, message, hint } = failure;
      const told = isDefinitive(failure)
        ? { state: 'refused' as const, error: { code, message, hint } }
        : { state: 'open' as const };
      // Where this cannot be written the record leads to no run, and the next request waits a little before it tries.
      begun.abort();
      const last = await beating;
      await write(lake, at, { ...last.record, ...told }, last.etag).catch(() => null);
      throw failure;
    } finally {
      begun.abort();
    }
  }

  /** Writes again and again that the run is still to come, until it has begun, or somebody else has the key: what was written last. */
  async #beat(lake: Lake, at: string, mine: Stored, begun: AbortSignal): Promise<Stored> {
    for (let last = mine; ; ) {
      await this.clock.sleep(this.#lostAfterMs / BEATS, begun);
      if (begun.aborted) return last;
      const record = { ...last.record, beat: last.record.beat + 1 };
      // A lake that blinks is asked again at the next beat.
      const etag = await write(lake, at, record, last.etag).catch(() => undefined);
      if (etag === null) return last;
      if (etag !== undefined) last = { record, etag };
    }
  }
}

/** A refusal that the same request would meet again. */
const isDefinitive = ({ status }: ApiError): boolean =>
  status >= 400 && status < 500 && status !== 409 && status !== 429;

/** A refusal as it is told again: whoever has mended the cause must not wait for this key to see it. */
function kept({ code, message, hint, database, runId }: ApiError): ApiError {
  const again = 'This answer is kept for the Idempotency-Key: with the cause removed, POST without it or with another.';
  return new ApiError(code, message, { hint: `${hint} ${again}`, database, runId });
}

function refusalOf({ error, run_id: runId }: IdempotencyRecord, database: string): ApiError {
  const code = error && isErrorCode(error.code) ? error.code : 'INTERNAL';
  return new ApiError(code, error?.message ?? 'The request was refused', {
    hint: error?.hint ?? ERRORS[code].hint,
    database,
    runId,
  });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The ETag of the record if it is ours now, null if somebody else was first. Throws `LakeError`. */
async function write(lake: Lake, key: string, record: IdempotencyRecord, etag: string | null): Promise<string | null> {
  const body = Buffer.from(JSON.stringify(record));
  try {
    return (await (etag === null ? lake.putIfAbsent(key, body) : lake.putIfMatch(key, body, etag))).etag;
  } catch (error) {
    if (!(error instanceof LakeError) || error.kind === 'denied') throw error;
    const stored = await lake.get(key);
    // The run's id is new each time: the same bytes are ours.
    if (stored?.body.equals(body)) return stored.etag;
    if (error.kind === 'precondition') return null;
    throw error;
  }
}
