import { Readable } from 'node:stream';
import type { RunRecord } from '@ingesta/kit';
import {
  Controller,
  Delete,
  Get,
  Header,
  OperationId,
  Path,
  Query,
  Request,
  Response,
  Route,
  SuccessResponse,
  Tags,
} from '@tsoa/runtime';
import type { Request as HttpRequest } from 'express';
import { ApiError, type ErrorBody, errorBody } from '../errors';
import { allow, may, type Verb } from '../security/principal';
import { sendEvents } from './event-stream';
import type { IngestedTable } from './ingest-controller';
import type { RunsService } from './runs-service';

export type RunStateName = 'running' | 'succeeded' | 'failed' | 'cancelled';

/** How far one table is. */
export interface TableProgressInfo {
  state: 'running' | 'finished';
  /** @isLong */
  rows: number;
  /**
   * Before compression.
   * @isLong
   */
  bytes: number;
  /** The engine's statistics; null where it has none. */
  estimated_rows: number | null;
}

/** A run, as a list shows it. */
export interface RunSummary {
  run_id: string;
  database: string;
  state: RunStateName;
  started_at: string;
  finished_at: string | null;
  /** @isLong */
  duration_ms: number | null;
  attempts: number;
  consistency: string | null;
  /** Stable code of the failure. */
  error_code: string | null;
}

export interface RunList {
  runs: RunSummary[];
  /** For `cursor`: the next page; null at the end. A page may be short and have one. */
  next_cursor: string | null;
}

/** One run. */
export interface RunInfo {
  run_id: string;
  database: string;
  state: RunStateName;
  started_at: string;
  finished_at: string | null;
  /** When it is stopped at the latest. */
  deadline: string | null;
  /** @isLong */
  duration_ms: number | null;
  /** Launches so far. */
  attempts: number;
  request: { tables: string[] | null; format: string };
  /** The gateway that runs it, or ran it. */
  gateway: string | null;
  /** Who asked for it: `key:<name>` or `jwt:<subject>`; null where nobody had to say. */
  requested_by: string | null;
  runner: string;
  image: string | null;
  image_digest: string | null;
  consistency: string | null;
  /** The tables begun so far; of very many, those begun last. */
  progress: Record<string, TableProgressInfo>;
  warnings: string[];
  /** What the POST answered; only once it succeeded. */
  result?: Record<string, IngestedTable>;
  /** Why it failed, or was cancelled. */
  error: { code: string; message: string; hint: string } | null;
}

const MAX_PAGE = 100;

@Route('api/ingesta/runs')
@Tags('Runs')
@Response<ErrorBody>('default', 'Any failure; `error.code` says which')
export class RunsController extends Controller {
  constructor(private readonly runs: RunsService) {
    super();
  }

  /**
   * Newest first. Costs as much as its page, however many runs there are.
   * @summary List the runs
   * @param db Only those of this source
   * @param state Only those in this state
   * @param limit At most so many, 1 to 100; 20 if absent
   * @param cursor `next_cursor` of the page before
   */
  @Get()
  @OperationId('ListRuns')
  async list(
    @Request() http: HttpRequest,
    @Query() db?: string,
    @Query() state?: RunStateName,
    @Query() limit?: string,
    @Query() cursor?: string,
  ): Promise<RunList> {
    const principal = allow(http, 'read', db ?? null);
    const page = await this.runs.list({
      database: db ?? null,
      shown: (database) => may(principal, 'read', database),
      state: state ?? null,
      limit: pageSize(limit),
      cursor: cursor ?? null,
    });
    return { runs: page.runs.map(summaryOf), next_cursor: page.cursor };
  }

  /**
   * State, progress per table, result or error; also while it runs, and from any gateway.
   * @summary One run
   */
  @Get('{run_id}')
  async show(@Path() run_id: string, @Request() http: HttpRequest): Promise<RunInfo> {
    return this.#info(await this.#find(run_id, http, 'read'));
  }

  /**
   * What the script said, one JSON per line (`at`, `level`, `message`), without its secrets; also after its container is
   * gone. Of a very long log the beginning and the end.
   * @summary The log of a run
   */
  @Get('{run_id}/logs')
  @SuccessResponse(200, 'NDJSON', 'application/x-ndjson')
  async logs(@Path() run_id: string, @Request() http: HttpRequest): Promise<Readable> {
    await this.#find(run_id, http, 'read');
    const text = await this.runs.logs(run_id);
    this.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
    return Readable.from([text], { objectMode: false });
  }

  /**
   * Server-Sent Events: `progress` as the run goes on, then `result` or `error`, which are what the POST answers.
   * @summary Follow a run
   * @param lastEventId Goes on behind this event
   */
  @Get('{run_id}/events')
  @SuccessResponse(200, 'Events', 'text/event-stream')
  @Response(204, 'The caller has heard the end: there is nothing to come back for')
  async events(
    @Path() run_id: string,
    @Request() http: HttpRequest,
    @Header('Last-Event-ID') lastEventId?: string,
  ): Promise<void> {
    const after = eventId(lastEventId);
    const record = await this.#find(run_id, http, 'read');
    if (record.state !== 'running' && record.revision <= after) {
      // It has heard the end: this keeps a browser from coming back for ever.
      this.setStatus(204);
      return;
    }
    await sendEvents(http.res!, (signal) => this.runs.events(record, after, signal));
  }

  /**
   * Stops the run, whichever gateway it is on: its container ends, nothing is published. A run that is over stays as it is.
   * @summary Cancel a run
   */
  @Delete('{run_id}')
  @SuccessResponse(200, 'It was over already')
  @Response<RunInfo>(202, 'It ends at its gateway’s next look')
  async cancel(@Path() run_id: string, @Request() http: HttpRequest): Promise<RunInfo> {
    await this.#find(run_id, http, 'cancel');
    const record = await this.runs.cancel(run_id);
    if (record.state === 'running') this.setStatus(202);
    return this.#info(record);
  }

  async #find(runId: string, http: HttpRequest, verb: Verb): Promise<RunRecord> {
    const record = await this.runs.find(runId);
    allow(http, verb, record.database);
    return record;
  }

  async #info(record: RunRecord): Promise<RunInfo> {
    const answer = await this.runs.answer(record);
    const failed = answer instanceof ApiError ? errorBody(answer).error : null;
    const { run_id, database, state, started_at, finished_at, deadline, duration_ms, attempts, gateway } = record;
    const { runner, image, image_digest, consistency, progress, warnings } = record;
    return {
      run_id,
      database,
      state,
      started_at,
      finished_at,
      deadline,
      duration_ms,
      attempts,
      request: { tables: record.request.tables, format: record.request.format },
      gateway,
      requested_by: record.requested_by,
      runner,
      image,
      image_digest,
      consistency,
      progress,
      warnings,
      ...(answer === null || answer instanceof ApiError ? {} : { result: answer.result }),
      error: failed && { code: failed.code, message: failed.message, hint: failed.hint },
    };
  }
}

const summaryOf = (record: RunRecord): RunSummary => ({
  run_id: record.run_id,
  database: record.database,
  state: record.state,
  started_at: record.started_at,
  finished_at: record.finished_at,
  duration_ms: record.duration_ms,
  attempts: record.attempts,
  consistency: record.consistency,
  error_code: record.error?.code ?? null,
});

function pageSize(limit = '20'): number {
  const size = Number(limit);
  if (/^\d{1,3}$/.test(limit) && size >= 1 && size <= MAX_PAGE) return size;
  throw new ApiError('INVALID_REQUEST', `limit: must be a whole number from 1 to ${MAX_PAGE}`);
}

function eventId(text = '-1'): number {
  if (/^(-1|\d{1,9})$/.test(text)) return Number(text);
  throw new ApiError('INVALID_REQUEST', 'Last-Event-ID: must be the id of an event of this run');
}
