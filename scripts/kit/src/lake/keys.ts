import type { Format } from '../contract/job';
import { checkTemplate, encodeName, hashedName, keysByTable } from './key-template';

export { encodeName };

/** The layout of data unless `KEY_TEMPLATE` says another. */
export const DEFAULT_KEY_TEMPLATE = '{db}/{table}_{timestamp}.csv';

/** Longest prefix of a lake. */
export const MAX_PREFIX_BYTES = 200;

/** What the placeholders of a key template stand for. */
export interface DataKeyValues {
  db: string;
  tables: readonly string[];
  /** `YYYYMMDD_HHMMSS`. */
  timestamp: string;
  format: Format;
}

/**
 * The key of each table's object. `template` may use `{db}`, `{table}` and `{timestamp}`, the last two at least; `.gz`
 * is added for compressed formats. Names that would meet are told apart (`keysByTable`). Throws `Error` if the template
 * cannot work.
 */
export function dataKeys(
  template: string | undefined,
  { db, tables, timestamp, format }: DataKeyValues,
): Map<string, string> {
  const pattern = {
    setting: 'KEY_TEMPLATE',
    template: (template || DEFAULT_KEY_TEMPLATE) + (format === 'csv.gz' ? '.gz' : ''),
  };
  for (const needed of ['{table}', '{timestamp}'])
    if (!pattern.template.includes(needed))
      throw new Error(`KEY_TEMPLATE ${JSON.stringify(pattern.template)} must contain ${needed}`);
  checkTemplate(pattern, ['{db}', '{table}', '{timestamp}']);
  return keysByTable(pattern, { db: encodeName(db), timestamp }, tables);
}

/** A table's name as a segment of its own. Longer ones are cut, and told apart by a hash. */
const MAX_TABLE_SEGMENT = 200;

/**
 * Where the columnar twin of one exported table lies: the only object in a folder of its own, as catalogs want it. `runId`
 * is that of the run which exported the table. On disks that ignore case two tables' names may meet: a reader compares
 * what the twin says of its source.
 */
export const parquetKey = (db: string, table: string, runId: string): string => {
  const name = encodeName(table);
  const segment = name.length > MAX_TABLE_SEGMENT ? hashedName(table, 16, MAX_TABLE_SEGMENT) : name;
  return `_ingesta/parquet/${db}/${segment}/${runId}/data.parquet`;
};

/** All keys that the twin may have: the second is for one whose own place is taken by something else. */
export const parquetKeys = (db: string, table: string, runId: string): [string, string] => [
  parquetKey(db, table, runId),
  parquetKey(db, table, `${runId}-other`),
];

/** Folder of the leases. */
export const LOCKS = '_ingesta/locks/';

/** Lease of a database; never deleted. */
export const lockKey = (db: string): string => `${LOCKS}${db}.json`;

/** Folder of the pointers. */
export const POINTERS = '_ingesta/current/';

/** Pointer to the manifest that readers use. */
export const pointerKey = (db: string): string => `${POINTERS}${db}.json`;

/** The database whose lease or pointer has this key. */
export const databaseOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1, -'.json'.length);

/** How far the sweep has come: among the runs, and among the snapshots of one database. No source is called `runs`. */
export const sweepKeys = {
  runs: '_ingesta/sweep/runs.json',
  snapshots: (db: string): string => `_ingesta/sweep/${db}.json`,
};

/** Folder of what gateways write to learn whether the lake keeps its conditions; each removes its own. */
export const PROBES = '_ingesta/probe/';

/** Keys of one run's records. */
export const runKeys = (db: string, runId: string) => {
  const folder = `_ingesta/runs/${db}/${runId}/`;
  return {
    folder,
    run: `${folder}run.json`,
    manifest: `${folder}manifest.json`,
    log: `${folder}log.ndjson`,
    /** There once somebody asked for the run to end. */
    cancel: `${folder}cancel.json`,
    /** The job of an attempt, without secrets, where a launch has no stdin to hand it over. */
    job: (attempt: number): string => `${folder}job-${attempt}.json`,
    /** The script's own copy of its result. */
    result: (attempt: number): string => `${folder}result-${attempt}.json`,
    /** What an attempt is about to make, recorded before it makes anything: `AttemptObjects`. */
    objects: (attempt: number): string => `${folder}objects-${attempt}.json`,
    isObjects: (key: string): boolean => /\/objects-\d+\.json$/.test(key),
    /** A multipart upload, recorded before its first part: `OpenUpload`. */
    upload: (attempt: number, number: number): string => `${folder}upload-${attempt}-${number}.json`,
    isUpload: (key: string): boolean => /\/upload-\d+-\d+\.json$/.test(key),
  };
};

/** A run's id as `runMarkerKey` takes it: UUIDv7, lower case. */
export const RUN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Folder of the runs' markers. */
export const RUN_MARKERS = '_ingesta/index/';

/** 2^48 ms, the end of UUIDv7's time. */
const END_OF_TIME = 2 ** 48 - 1;

/**
 * The marker of a run: a listing of `RUN_MARKERS` gives the newest first, because the id's time stands in it counted
 * backwards. A folder holds three days of them. Without `db`, the prefix of the one marker that a run can have.
 */
export function runMarkerKey(runId: string, db?: string): string {
  const ms = Number.parseInt(runId.replace(/-/g, '').slice(0, 12), 16);
  const left = (END_OF_TIME - ms).toString(16).padStart(12, '0');
  return `${RUN_MARKERS}${left.slice(0, 5)}/${left}_${runId}_${db === undefined ? '' : `${db}.json`}`;
}

/** Run and database of a marker's key, or null if it is none. */
export function parseRunMarker(key: string): { runId: string; database: string } | null {
  const [, runId, database] = /\/[0-9a-f]{12}_([0-9a-f-]{36})_([a-z0-9-]+)\.json$/.exec(key) ?? [];
  return runId && database && RUN_ID.test(runId) ? { runId, database } : null;
}

/** What became of the requests with one idempotency key; `hash` is the SHA-256 of whose, where and which. */
export const idempotencyKey = (hash: string): string => `_ingesta/idempotency/${hash}.json`;
