import { EXIT } from '../contract/exit-codes';
import type { Job } from '../contract/job';
import type { AttemptObjects, OpenUpload } from '../contract/records';
import { MAX_RESULT_BYTES, type ScriptOutput, type TableResult } from '../contract/result';
import type { SourceDescription } from '../contract/source-description';
import { configError, failed, ScriptError } from '../errors';
import { createRecord } from '../lake/create-record';
import { dataKeys, runKeys } from '../lake/keys';
import type { Lake } from '../lake/lake';
import { openLake } from '../lake/open-lake';
import { type SensitiveRules, sensitiveRules } from '../sensitive/sensitive-rules';
import type { Source, SourceSession, SourceTable } from '../source';
import { exportTable, type Stop } from './export-table';
import { parallelOf } from './parallel';
import { type PlannedTable, planTable } from './plan-tables';
import type { Report } from './reporter';
import { resolveEnv } from './resolve-env';
import { assertResultFits } from './result-size';
import { type Selected, selectTables } from './select-tables';

export interface RunJob {
  source: Source;
  description: SourceDescription;
  job: Job;
  report: Report;
  /** Goes over every text that a driver may have written. */
  redact: (text: string) => string;
  /** Aborted by SIGTERM or the deadline, with the `ScriptError` to end with as its reason. */
  signal: AbortSignal;
}

/** One export, top to bottom: settings, connection, tables, columns, objects, result. Throws; never half-answers. */
export async function runJob({ source, description, job, report, redact, signal }: RunJob): Promise<ScriptOutput> {
  const started = Date.now();
  const { values, problems } = resolveEnv(description, job.env);
  if (problems.length > 0)
    throw configError(problems.join('; '), 'Set what is missing; `--describe` explains each variable.');

  const warnings: string[] = [];
  const warn = (message: string) => {
    warnings.push(redact(message));
    report({ event: 'log', level: 'warn', message });
  };
  const log = (level: 'debug' | 'info' | 'warn', message: string) => report({ event: 'log', level, message });

  // Checked first: settings that cannot work must not cost the database a connection.
  keysOf(job, []);
  const parallel = parallelOf(job.env);
  const lakes: Promise<Lake>[] = [];
  const openOnce = () => {
    if (lakes.length === 0) lakes.push(openLake(job.env));
    return lakes[0]!;
  };
  const lake = job.dry_run ? null : await openOnce();
  // One table's failure ends the reading of the others.
  const failure = new AbortController();
  const stop = { signal: AbortSignal.any([signal, failure.signal]), abort: (reason: unknown) => failure.abort(reason) };
  let session: SourceSession | null = null;
  try {
    session = await source.connect(values, { signal: stop.signal, log, warn, ...parallel, lake: openOnce });
    const setting = job.env[`${description.env_prefix}TABLES`];
    const selected = selectTables(await session.list(), job.datasets, job.tables, setting, warn);
    const planned = planAll(
      await describe(session, selected, job.tables !== null),
      rulesOf(job),
      job.tables !== null,
      warn,
    );
    for (const selection of planned) session.check?.(selection);
    signal.throwIfAborted();
    const keys = keysOf(
      job,
      planned.map(({ table }) => table.name),
    );
    assertResultFits(planned, keys, (key) => lake?.urlOf(key) ?? key, description.env_prefix);

    const same = { database: job.database, run_id: job.run_id, attempt: job.attempt, nonce: job.nonce };
    if (lake === null) return { status: 'planned', plan: planOf(planned), consistency: session.consistency, ...same };

    const atOnce = Math.min(parallel.parallelTables, session.parallelReads);
    const result = await exportAll({ session, lake, job, planned, keys, report, stop, atOnce });
    const output: ScriptOutput = {
      status: 'success',
      database: job.database,
      result,
      run_id: job.run_id,
      attempt: job.attempt,
      nonce: job.nonce,
      consistency: session.consistency,
      taken_at: session.takenAt.toISOString(),
      duration_ms: Date.now() - started,
      warnings,
    };
    // Second copy of the result: where stdout is lost, this one counts.
    const body = Buffer.from(JSON.stringify(output));
    if (body.length > MAX_RESULT_BYTES) throw failed('The result is over 16 MiB', 'Take fewer tables per run.');
    await createRecord(lake, runKeys(job.database, job.run_id).result(job.attempt), body, { signal });
    return output;
  } finally {
    // All is read by now, or lost: a connection that does not end well changes nothing, nor hides the failure.
    await Promise.allSettled([session?.close(), ...lakes.map(async (opened) => (await opened).close())]);
  }
}

/** Every table's key. A template that cannot work is a setting's fault. */
function keysOf(job: Job, tables: readonly string[]): Map<string, string> {
  try {
    return dataKeys(job.env.KEY_TEMPLATE, { db: job.database, tables, timestamp: job.timestamp, format: job.format });
  } catch (error) {
    throw configError((error as Error).message, 'Correct KEY_TEMPLATE, or unset it for {db}/{table}_{timestamp}.csv.');
  }
}

const rulesOf = (job: Job): SensitiveRules =>
  sensitiveRules(job.database, { add: job.env.SENSITIVE_COLUMNS, allow: job.env.SENSITIVE_COLUMNS_ALLOW });

async function describe(
  session: SourceSession,
  { tables, datasets }: Selected,
  requested: boolean,
): Promise<SourceTable[]> {
  const described = await session.describe(tables);
  const empty = tables.filter((name) => !described.some((table) => table.name === name));
  // Asked for by name it must come; met on the way it is nothing to export.
  if (requested && empty.length > 0) {
    const hint = 'The user may read none of its columns, or it holds no table.';
    throw new ScriptError(EXIT.TABLE_NOT_FOUND, 'TABLE_NOT_FOUND', `Nothing to read in: ${empty.join(', ')}`, hint);
  }
  for (const dataset of datasets) {
    if (!session.dataset) throw configError(`This source takes no datasets: ${dataset.name}`, 'Remove its file.');
    described.push(await session.dataset(dataset));
  }
  return described;
}

function planAll(
  selected: SourceTable[],
  rules: SensitiveRules,
  requested: boolean,
  warn: (message: string) => void,
): PlannedTable[] {
  const planned = selected.map((table) => planTable(table, rules));
  const closed = planned.filter(({ columns }) => columns.length === 0).map(({ table }) => table.name);
  const told = `no column that may leave the database: ${closed.join(', ')}`;
  // Asked for by name it is a contradiction; met on the way it is the rule at work.
  if (requested && closed.length > 0) throw configError(`There is ${told}`, 'SENSITIVE_COLUMNS_ALLOW exempts columns.');
  if (closed.length > 0) warn(`Left out for having ${told}`);
  const open = planned.filter(({ columns }) => columns.length > 0);
  // A snapshot of nothing would hide the one before: more likely a grant is missing than every table.
  if (open.length === 0) {
    const hint = 'Check the database name, the grants of the user (SELECT) and the selection of tables.';
    throw new ScriptError(EXIT.TABLE_NOT_FOUND, 'TABLE_NOT_FOUND', 'There is no table to export', hint);
  }
  return open;
}

const planOf = (planned: PlannedTable[]) =>
  Object.fromEntries(
    planned.map(({ table, columns, dropped }) => [
      table.name,
      { columns, dropped_columns: dropped, estimated_rows: table.estimatedRows },
    ]),
  );

interface ExportAll {
  session: SourceSession;
  lake: Lake;
  job: Job;
  planned: PlannedTable[];
  /** Of each table's object. */
  keys: ReadonlyMap<string, string>;
  report: Report;
  stop: Stop;
  /** So many tables at once. */
  atOnce: number;
}

/** Rejects with the first failure, and only when no table is being written any more. */
async function exportAll({ session, lake, job, planned, keys, report, stop, atOnce }: ExportAll) {
  const names = planned.map(({ table }) => table.name);
  // Before anything is made: whoever finds us gone must know what to clear away.
  const records = runKeys(job.database, job.run_id);
  const own: AttemptObjects = { nonce: job.nonce, keys: [...keys.values()] };
  const { signal } = stop;
  await createRecord(lake, records.objects(job.attempt), Buffer.from(JSON.stringify(own)), { signal });
  let uploads = 0;
  const recordUpload = (key: string) => async (upload_id: string) => {
    uploads += 1;
    const upload: OpenUpload = { key, upload_id };
    await createRecord(lake, records.upload(job.attempt, uploads), Buffer.from(JSON.stringify(upload)), { signal });
  };
  const results = new Map<string, TableResult>();
  const queue = planned.values();
  const worker = async () => {
    for (const selection of queue) {
      const { name } = selection.table;
      stop.signal.throwIfAborted();
      const key = keys.get(name)!;
      results.set(name, await exportTable(session, lake, job, selection, key, recordUpload(key), report, stop));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, () => worker().catch(stop.abort)));
  stop.signal.throwIfAborted();
  // Not by assignment: a table may be called `__proto__`.
  return Object.fromEntries(names.map((name): [string, TableResult] => [name, results.get(name)!]));
}
