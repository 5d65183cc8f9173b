import { RESERVED_SOURCE_NAMES, SOURCE_NAME } from '@ingesta/kit';
import { Body, Controller, Example, Get, Path, Post, Response, Route, SuccessResponse, Tags } from '@tsoa/runtime';
import { ApiError, type ErrorBody } from '../errors';
import type { SourceStatus, SourcesService } from '../sources/sources-service';
import type { IngestService } from './service';

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
   * Only these tables (result keys as an earlier answer named them); without it all that the user may read.
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

/** As long as a DNS label; with it every image, file and key name stays within its own limit. */
const MAX_NAME = 63;

@Route('api/ingesta')
@Tags('Ingestion')
@Response<ErrorBody>('default', 'Any failure; `error.code` says which')
export class IngestController extends Controller {
  constructor(
    private readonly ingestion: IngestService,
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
  @SuccessResponse(200, 'Every table is in the lake')
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
  })
  async ingest(@Path() db: string, @Body() body?: IngestBody): Promise<IngestAnswer | PlanAnswer> {
    // Checked before anything sees it: the name becomes part of images, paths and keys.
    if (!SOURCE_NAME.test(db) || db.length > MAX_NAME || RESERVED_SOURCE_NAMES.includes(db)) {
      throw new ApiError('UNKNOWN_SOURCE', 'This can be no source: names are lower-case letters, digits and -', {
        hint: `Known: ${(await this.sources.names()).join(', ')}.`,
      });
    }
    const output = await this.ingestion.ingest(db, {
      tables: body?.tables ?? null,
      format: body?.format ?? 'csv',
      dryRun: body?.dry_run ?? false,
    });
    if (output.status === 'planned') {
      const { status, database, plan, run_id, consistency } = output;
      return { status, database, plan, run_id, consistency };
    }
    const tables = Object.entries(output.result).map(([table, { url, registros, bytes, sha256, dropped_columns }]) => [
      table,
      { url, registros, bytes, sha256, dropped_columns },
    ]);
    const { status, database, run_id, consistency, duration_ms, warnings } = output;
    return { status, database, result: Object.fromEntries(tables), run_id, consistency, duration_ms, warnings };
  }

  /**
   * Every source this gateway knows: whether its image is there, what is missing to run it, and its last snapshot.
   * @summary List the sources
   */
  @Get()
  async list(): Promise<{ sources: SourceStatus[] }> {
    return { sources: await this.sources.list() };
  }
}
