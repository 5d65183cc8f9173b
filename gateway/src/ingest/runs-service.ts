import { createRecord, type Lake, type RunRecord, runKeys } from '@ingesta/kit';
import { asApiError } from '../as-api-error';
import { ApiError, errorBody } from '../errors';
import { systemClock } from '../runs/clock';
import { readCurrent } from '../runs/publication';
import { followRun } from '../runs/run-events';
import { listRuns, type RunQuery } from '../runs/run-list';
import { RunLooks } from '../runs/run-looks';
import { findRun, isOver } from '../runs/run-store';
import type { StreamEvent } from './event-stream';
import { type RunAnswer, storedAnswer, storedFailure } from './run-answer';
import type { IngestService } from './service';

/** One table of a committed snapshot. */
export interface LatestTable {
  url: string;
  registros: number;
  bytes: number;
  sha256: string;
  columns: { name: string; source_type: string; logical_type: string; nullable: boolean }[];
  dropped_columns: { name: string; reason: string }[];
  taken_at: string;
  run_id: string;
  consistency: string;
}

/** `GET /api/ingesta/{db}/latest`. */
export interface LatestAnswer {
  database: string;
  run_id: string;
  taken_at: string;
  consistency: string;
  image_digest: string | null;
  tables: Record<string, LatestTable>;
}

/** Tells of runs, from what the lake keeps of them: the same from every gateway. */
export class RunsService {
  readonly #looks = new RunLooks();
  /** By the record, which all who follow a run share. */
  readonly #told = new WeakMap<RunRecord, Promise<StreamEvent>>();

  constructor(private readonly services: { lake: () => Promise<Lake>; ingestion: Pick<IngestService, 'cancel'> }) {}

  async list(query: RunQuery): Promise<{ runs: RunRecord[]; cursor: string | null }> {
    return listRuns(await this.services.lake(), query);
  }

  /** A run's record. Throws `RUN_NOT_FOUND`. */
  async find(runId: string): Promise<RunRecord> {
    const run = await findRun(await this.services.lake(), runId);
    if (run === null) throw new ApiError('RUN_NOT_FOUND', `There is no run ${runId.slice(0, 64)}`);
    return run.record;
  }

  /** What a run's POST answered, or would have; null while it runs. A failure is given, not thrown. */
  async answer(record: RunRecord): Promise<RunAnswer | ApiError | null> {
    if (!isOver(record)) return null;
    return record.state === 'succeeded' ? storedAnswer(await this.services.lake(), record) : storedFailure(record);
  }

  /** The script's log as NDJSON, as far as it has been written. */
  async logs(runId: string): Promise<Buffer> {
    const { database } = await this.find(runId);
    const stored = await (await this.services.lake()).get(runKeys(database, runId).log);
    return stored?.body ?? Buffer.alloc(0);
  }

  /** Ends a run, whichever gateway it is on: its holder sees the mark at its next renewal. One that is over stays as it is. */
  async cancel(runId: string): Promise<RunRecord> {
    const record = await this.find(runId);
    if (isOver(record)) return record;
    const mark = Buffer.from(JSON.stringify({ run_id: runId }));
    await createRecord(await this.services.lake(), runKeys(record.database, runId).cancel, mark);
    this.services.ingestion.cancel(record);
    return record;
  }

  /** What readers see of a database. Throws `NOT_FOUND` where nothing was published yet. */
  async latest(database: string): Promise<LatestAnswer> {
    const manifest = (await readCurrent(await this.services.lake(), database))?.manifest;
    if (!manifest) {
      const hint = `POST /api/ingesta/${database} brings it.`;
      throw new ApiError('NOT_FOUND', `Nothing of ${database} has been published`, { database, hint });
    }
    const { run_id, taken_at, consistency, image_digest } = manifest;
    const tables = Object.entries(manifest.tables).map(([table, entry]): [string, LatestTable] => [
      table,
      {
        url: entry.url,
        registros: entry.rows,
        bytes: entry.bytes,
        sha256: entry.sha256,
        columns: entry.columns,
        dropped_columns: entry.dropped_columns,
        taken_at: entry.taken_at,
        run_id: entry.run_id,
        consistency: entry.consistency,
      },
    ]);
    return { database, run_id, taken_at, consistency, image_digest, tables: Object.fromEntries(tables) };
  }

  /** A run's events after revision `after`, until its result or error. Never throws. */
  async *events(
    run: Pick<RunRecord, 'database' | 'run_id'>,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<StreamEvent> {
    const lake = await this.services.lake();
    for await (const record of followRun(() => this.#looks.read(lake, run), after, systemClock, signal)) {
      if (record === null) yield { comment: 'still here' };
      else yield await this.#tell(record);
    }
  }

  #tell(record: RunRecord): Promise<StreamEvent> {
    const told = this.#told.get(record) ?? this.#eventOf(record);
    this.#told.set(record, told);
    return told;
  }

  async #eventOf(record: RunRecord): Promise<StreamEvent> {
    const id = String(record.revision);
    const answer = await this.answer(record).catch((error) => asApiError(error, record.database, record.run_id));
    if (answer instanceof ApiError) return { id, event: 'error', data: errorBody(answer) };
    if (answer !== null) return { id, event: 'result', data: answer };
    const { run_id, database, state, attempts, progress } = record;
    return { id, event: 'progress', data: { run_id, database, state, attempts, progress } };
  }
}
