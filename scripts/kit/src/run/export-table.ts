import { EXIT } from '../contract/exit-codes';
import type { Job } from '../contract/job';
import type { TableResult } from '../contract/result';
import { compressed } from '../csv/compressed';
import { ScriptError } from '../errors';
import { isLakeFailure, type Lake, type LakeError } from '../lake/lake';
import type { SourceSession } from '../source';
import type { PlannedTable } from './plan-tables';
import { PROGRESS_INTERVAL_MS, type Report } from './reporter';

/** Metadata name that tells which attempt created an object. */
export const ATTEMPT_METADATA = 'ingesta-attempt';

/** What ends the reading of every table. */
export interface Stop {
  /** Aborted with the first failure, or from outside. */
  signal: AbortSignal;
  abort(reason: unknown): void;
}

/** Streams one table into the lake; the object appears whole or not at all. */
export async function exportTable(
  session: Pick<SourceSession, 'read'>,
  lake: Pick<Lake, 'create' | 'urlOf'>,
  job: Pick<Job, 'format' | 'nonce'>,
  planned: PlannedTable,
  key: string,
  onUpload: (uploadId: string) => Promise<void>,
  report: Report,
  stop: Stop,
): Promise<TableResult> {
  const name = planned.table.name;
  const count = { rows: 0, bytes: 0 };
  report({ event: 'table_started', table: name, estimated_rows: planned.table.estimatedRows });

  async function* csv(): AsyncGenerator<Buffer> {
    let told = Date.now();
    try {
      for await (const chunk of session.read(planned)) {
        count.rows += chunk.rows;
        count.bytes += chunk.data.length;
        if (Date.now() - told >= PROGRESS_INTERVAL_MS) {
          told = Date.now();
          report({ event: 'progress', table: name, ...count });
        }
        yield chunk.data;
      }
    } catch (error) {
      // At once: until the lake has cleared away, other tables may fail of it, and theirs would be told as the first.
      stop.abort(error);
      throw error;
    }
  }
  const body = job.format === 'csv.gz' ? compressed(csv()) : csv();
  const about = {
    contentType: job.format === 'csv.gz' ? 'application/gzip' : 'text/csv; charset=utf-8',
    metadata: { [ATTEMPT_METADATA]: job.nonce },
    onUpload,
    signal: stop.signal,
  };
  const { bytes, sha256, crc32 } = await lake.create(key, body, about).catch((error) => {
    throw isLakeFailure(error, 'precondition') ? nameTaken(key, error) : error;
  });
  report({ event: 'table_finished', table: name, ...count });
  return {
    url: lake.urlOf(key),
    registros: count.rows,
    key,
    bytes,
    sha256,
    ...(crc32 !== null && { crc32 }),
    columns: planned.columns,
    dropped_columns: planned.dropped,
  };
}

/** Only launches by hand share names: a gateway allots each attempt its own second. */
function nameTaken(key: string, cause: LakeError): ScriptError {
  const hint = 'Another export of this source began in the same second. Nothing was overwritten: run it again.';
  return new ScriptError(EXIT.LAKE, 'SCRIPT_FAILED', `There is an object ${key} already`, hint, { cause });
}
