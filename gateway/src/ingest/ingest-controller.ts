import { RESERVED_SOURCE_NAMES, SOURCE_NAME } from '@ingesta/kit';
import {
  Body,
  Controller,
  Example,
  Get,
  Header,
  Path,
  Post,
  Request,
  Response,
  Route,
  SuccessResponse,
  Tags,
} from '@tsoa/runtime';
import type { Request as HttpRequest } from 'express';
import { ApiError, type ErrorBody } from '../errors';
import { allow, may, principalOf } from '../security/principal';
import type { SourceStatus, SourcesService } from '../sources/sources-service';
import { sendEvents } from './event-stream';
import type { Submissions } from './idempotency';
import type { LatestAnswer, RunsService } from './runs-service';
import type { IngestService, StartedRun } from './service';

/** What moment the tables show: one for all, each its own, or no promise. */
export type ConsistencyName = 'snapshot' | 'per_table' | 'none';

/** A column that was left out, and the rule that says so. */
export interface DroppedColumnInfo {
  name: string;
  reason: string;
}

/** Body of the ingestion POST; all of it optional. */
export interface IngestBody {
  /**
   * Only these tables (result keys as an earlier answer named them); without it those that the source's `<PREFIX>TABLES`
   * selects, else all that the user may read.
   * @minItems 1
   * @maxItems 10000
   */
  tables?: string[];
  /** Format of the objects. */
  format?: 'csv' | 'csv.gz';
  /** Only say which tables and columns would be exported. */
  dry_run?: boolean;
}

/** One exported table. */
export interface IngestedTable {
  /** Where the CSV lies: `s3://bucket/key`, or `file:///path` for a folder lake. */
  url: string;
  /**
   * Rows in it.
   * @isLong
   */
  registros: number;
  /**
   * Size of the object.
   * @isLong
   */
  bytes: number;
  /** SHA-256 of the object, hex. */
  sha256: string;
  /** What was left out, and by which rule. */
  dropped_columns: DroppedColumnInfo[];
}

/** A finished ingestion. */
export interface IngestAnswer {
  status: 'success';
  database: string;
  result: Record<string, IngestedTable>;
  /** UUIDv7. */
  run_id: string;
  /** `snapshot`: all tables show one moment; `per_table`: each its own; `none`: no promise. */
  consistency: ConsistencyName;
  /** @isLong */
  duration_ms: number;
  warnings: string[];
  /**
   * Of each table that analytics routes read, its columnar twin: `ready`, `pending`, or `failed: …`. It never fails a run:
   * it is tried again. Only in the first answer to the POST; later `GET /health` tells.
   */
  analytics?: Record<string, string>;
}

/** One table of a dry run. */
export interface PlannedAnswerTable {
  columns: { name: string; source_type: string; logical_type: string; nullable: boolean }[];
  dropped_columns: DroppedColumnInfo[];
  estimated_rows: number | null;
}

/** Answer to `dry_run`. */
export interface PlanAnswer {
  status: 'planned';
  database: string;
  plan: Record<string, PlannedAnswerTable>;
  run_id: string;
  consistency: ConsistencyName;
}

/** A run that has begun; its end stands where `Location` points. */
export interface AcceptedAnswer {
  status: 'running';
  database: string;
  run_id: string;
}

/** As long as a DNS label; with it every image, file and key name stays within its own limit. */
const MAX_NAME = 63;

@Route('api/ingesta')
@Tags('Ingestion')
@Response<ErrorBody>('default', 'Any failure; `error.code` says which')
export class IngestController extends Controller {
  constructor(
    private readonly ingestion: IngestService,
    private readonly submissions: Submissions,
    private readonly runs: RunsService,
    private readonly sources: SourcesService,
  ) {
    super();
  }

  /**
   * Launches the script of `db`, waits for it, and answers where each table's CSV lies. Hanging up does not stop it.
   * @summary Ingest one database
   * @param db A source: mysql, postgresql, …
   */
  @Post('{db}')
  @SuccessResponse(200, 'Every table is in the lake; of a dry run, what would be')
  @Example<IngestAnswer>({
    status: 'success',
    database: 'mysql',
    result: {
      users: {
        url: 's3://my-bucket/mysql/users_20250102_153045.csv',
        registros: 150,
        bytes: 9120,
        sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        dropped_columns: [{ name: 'password_hash', reason: 'built-in rule: password' }],
      },
    },
    run_id: '01890a5d-ac96-774b-bcce-b302099a8057',
    consistency: 'snapshot',
    duration_ms: 1234,
    warnings: [],
    analytics: { users: 'pending' },
  })
  @Response<AcceptedAnswer>(202, 'With `Prefer: respond-async`: it runs; `Location` tells where its end will stand')
  async ingest(
    @Path() db: string,
    @Request() http: HttpRequest,
    @Body() body?: IngestBody,
    @Header('Prefer') prefer?: string,
    @Header('Idempotency-Key') idempotencyKey?: string,
  ): Promise<IngestAnswer | PlanAnswer | AcceptedAnswer> {
    await this.#checkName(db);
    const { name: principal } = allow(http, 'run', db);
    const request = { tables: body?.tables ?? null, format: body?.format ?? 'csv', dryRun: body?.dry_run ?? false };
    if (request.dryRun) {
      const { status, database, plan, run_id, consistency } = await this.ingestion.plan(db, request);
      return { status, database, plan, run_id, consistency };
    }
    const key = idempotencyKey ?? null;
    const run = await this.submissions.submit({ database: db, request, key, principal, path: http.path });
    if (/(^|,)\s*respond-async\s*($|[,;])/i.test(prefer ?? '')) return this.#accepted(db, run);
    if (http.accepts(['json', 'text/event-stream']) === 'text/event-stream') return this.#streamed(db, run, http);
    return run.done;
  }

  /**
   * What readers see: the tables of the last published run, and where each lies.
   * @summary The committed snapshot
   */
  @Get('{db}/latest')
  async latest(@Path() db: string, @Request() http: HttpRequest): Promise<LatestAnswer> {
    await this.#checkName(db);
    allow(http, 'read', db);
    return this.runs.latest(db);
  }

  /**
   * Every source this gateway knows: whether its image is there, what is missing to run it, and its last snapshot.
   * @summary List the sources
   */
  @Get()
  async list(@Request() http: HttpRequest): Promise<{ sources: SourceStatus[] }> {
    const principal = principalOf(http);
    return { sources: await this.sources.list((name) => may(principal, 'read', name)) };
  }

  /** Checked before anything sees it: the name becomes part of images, paths and keys. */
  async #checkName(db: string): Promise<void> {
    if (SOURCE_NAME.test(db) && db.length <= MAX_NAME && !RESERVED_SOURCE_NAMES.includes(db)) return;
    throw new ApiError('UNKNOWN_SOURCE', 'This can be no source: names are lower-case letters, digits and -', {
      hint: `Known: ${(await this.sources.names()).join(', ')}.`,
    });
  }

  #accepted(database: string, { runId, done }: StartedRun): AcceptedAnswer {
    // It is logged where it runs, and stands in the run's record.
    done.catch(() => undefined);
    this.setStatus(202);
    this.setHeader('Location', `/api/ingesta/runs/${runId}`);
    this.setHeader('Preference-Applied', 'respond-async');
    return { status: 'running', database, run_id: runId };
  }

  async #streamed(database: string, { runId, done }: StartedRun, { res }: HttpRequest): Promise<never> {
    done.catch(() => undefined);
    await sendEvents(res!, (signal) => this.runs.events({ database, run_id: runId }, -1, signal));
    return undefined as never; // The answer is out; tsoa leaves it alone.
  }
}
