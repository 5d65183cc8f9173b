import { type Lake, type Manifest, type RunRecord, runKeys, type ScriptResult } from '@ingesta/kit';
import { ApiError, isErrorCode } from '../errors';
import { readManifest } from '../runs/publication';

/** One table of a finished run, as callers see it. */
export interface AnswerTable {
  url: string;
  registros: number;
  bytes: number;
  sha256: string;
  dropped_columns: { name: string; reason: string }[];
}

/** A finished run, as callers see it. */
export interface RunAnswer {
  status: 'success';
  database: string;
  result: Record<string, AnswerTable>;
  run_id: string;
  consistency: ScriptResult['consistency'];
  duration_ms: number;
  warnings: string[];
  /** By table, how it stands with what analytics read; only from the gateway that ran it, right after the run. */
  analytics?: Record<string, string>;
}

/** A run that was published. */
export interface PublishedRun {
  answer: RunAnswer;
  manifest: Manifest;
}

/** The answer to the POST whose script has just ended. */
export function answerOf(output: ScriptResult, record: RunRecord): RunAnswer {
  const tables = Object.entries(output.result).map(([table, entry]): [string, AnswerTable] => [
    table,
    {
      url: entry.url,
      registros: entry.registros,
      bytes: entry.bytes,
      sha256: entry.sha256,
      dropped_columns: entry.dropped_columns,
    },
  ]);
  return {
    status: 'success',
    database: output.database,
    result: Object.fromEntries(tables),
    run_id: output.run_id,
    consistency: output.consistency,
    duration_ms: record.duration_ms ?? output.duration_ms,
    warnings: output.warnings,
  };
}

/** The same answer, from what the lake keeps of a run that succeeded: for those who ask later, or elsewhere. */
export async function storedAnswer(lake: Lake, record: RunRecord): Promise<RunAnswer> {
  const { database, run_id, duration_ms, warnings } = record;
  const manifest = await readManifest(lake, runKeys(database, run_id).manifest);
  if (manifest === null) throw new Error(`Run ${run_id} succeeded, but its manifest is gone`);
  // A run over some tables carries others over: those were not its own.
  const own = Object.entries(manifest.tables).filter(([, entry]) => entry.run_id === run_id);
  const tables = own.map(([table, { url, rows, bytes, sha256, dropped_columns }]): [string, AnswerTable] => [
    table,
    { url, registros: rows, bytes, sha256, dropped_columns },
  ]);
  const consistency = own[0]?.[1].consistency ?? 'none';
  return {
    status: 'success',
    database,
    result: Object.fromEntries(tables),
    run_id,
    consistency,
    duration_ms: duration_ms ?? 0,
    warnings,
  };
}

/** The failure that a closed record tells of. */
export function storedFailure({ database, run_id, error }: RunRecord): ApiError {
  const { code, message, hint } = error ?? { code: 'INTERNAL', message: 'The run failed', hint: undefined };
  return new ApiError(isErrorCode(code) ? code : 'INTERNAL', message, {
    ...(hint ? { hint } : {}),
    database,
    runId: run_id,
  });
}
