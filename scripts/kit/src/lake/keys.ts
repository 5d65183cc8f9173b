import { createHash } from 'node:crypto';
import type { Format } from '../contract/job';

const DEFAULT_TEMPLATE = '{db}/{table}_{timestamp}.csv';

/** S3 takes 1024 bytes; the rest is for the lake's prefix (`MAX_PREFIX_BYTES`) and its slash. */
const MAX_KEY_BYTES = 823;
/** Longest prefix of a lake. */
export const MAX_PREFIX_BYTES = 200;
/** File systems' limit, for the folder lake. */
const MAX_NAME_BYTES = 255;
/** A name with the longest hash must fit. */
const MIN_TABLE_BYTES = 80;

/** What the placeholders of a key template stand for. */
export interface DataKeyValues {
  db: string;
  tables: readonly string[];
  /** `YYYYMMDD_HHMMSS`. */
  timestamp: string;
  format: Format;
}

/**
 * A name as one segment of a key: bytes outside `[A-Za-z0-9_.-]` and a dot at the beginning become `%XX`. No two names
 * get the same, and none gets an empty one.
 */
export const encodeName = (name: string): string =>
  [...Buffer.from(name)].map(encodeByte).join('').replace(/^\./, '%2E') || '%';

const encodeByte = (byte: number): string => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9_.-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
};

/**
 * The key of each table's object. `template` may use `{db}`, `{table}` and `{timestamp}`, the last two at least; `.gz`
 * is added for compressed formats. Keys that would differ by nothing, or by letter case only (some disks take those for
 * one), and keys too long for a store get a hash of the table's name. Throws `Error` if the template cannot work.
 */
export function dataKeys(template: string | undefined, values: DataKeyValues): Map<string, string> {
  const pattern = (template || DEFAULT_TEMPLATE) + (values.format === 'csv.gz' ? '.gz' : '');
  checkTemplate(pattern);
  const keyOf = (table: string) => fill(pattern, { ...values, table });
  const room = roomForTable(pattern, keyOf(''));

  const names = new Map(values.tables.map((table) => [table, encodeName(table)]));
  const rename = (tables: readonly string[], digits: number) => {
    for (const table of tables) names.set(table, hashedName(table, digits, room));
  };
  rename(
    [...names].filter(([, name]) => name.length > room).map(([table]) => table),
    8,
  );
  // A hashed name could meet another table's real one: then all of them get a longer hash.
  for (const digits of [8, 16, 32, 64]) rename(clashing(names), digits);
  return new Map([...names].map(([table, name]) => [table, keyOf(name)]));
}

/** Problems of a `KEY_TEMPLATE`, thrown as one `Error`. */
function checkTemplate(template: string): void {
  const wrong = (problem: string) => new Error(`KEY_TEMPLATE ${JSON.stringify(template)} ${problem}`);
  for (const needed of ['{table}', '{timestamp}'])
    if (!template.includes(needed)) throw wrong(`must contain ${needed}`);
  const literal = template.replace(/\{(db|table|timestamp)\}/g, 'x');
  const odd = /[^A-Za-z0-9_.=/-]/.exec(literal);
  if (odd) throw wrong(`may contain {db}, {table}, {timestamp}, letters, digits and _ . = - / only, not ${odd[0]}`);
  if (literal.split('/').some((segment) => segment === '' || segment.startsWith('.')))
    throw wrong('must not have an empty part between slashes, nor one that starts with a dot');
  if (template.startsWith('_ingesta/')) throw wrong('must not start with _ingesta/: records live there');
}

const fill = (template: string, { db, table, timestamp }: { db: string; table: string; timestamp: string }): string =>
  template.replace(/\{(\w+)\}/g, (_, name) => (name === 'db' ? encodeName(db) : name === 'table' ? table : timestamp));

/** Bytes that a table's name may take, given the key without it. */
function roomForTable(template: string, bare: string): number {
  const segments = template.split('/');
  const rooms = bare
    .split('/')
    .map((segment, index) => ({ left: MAX_NAME_BYTES - segment.length, uses: usesOf(segments[index]!) }))
    .concat({ left: MAX_KEY_BYTES - bare.length, uses: usesOf(template) })
    .filter(({ uses }) => uses > 0)
    .map(({ left, uses }) => Math.floor(left / uses));
  const room = Math.min(...rooms);
  if (room < MIN_TABLE_BYTES) throw new Error(`KEY_TEMPLATE ${JSON.stringify(template)} is too long`);
  return room;
}

const usesOf = (template: string): number => template.split('{table}').length - 1;

/** `name` cut to fit, and as many digits of its SHA-256. A percent code is not cut in two. */
const hashedName = (name: string, digits: number, room: number): string => {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, digits);
  return `${encodeName(name)
    .slice(0, room - digits - 1)
    .replace(/%.?$/, '')}-${hash}`;
};

function clashing(names: ReadonlyMap<string, string>): string[] {
  const counts = new Map<string, number>();
  for (const name of names.values()) counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1);
  return [...names].filter(([, name]) => counts.get(name.toLowerCase())! > 1).map(([table]) => table);
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

/** Folder of the leases. */
export const LOCKS = '_ingesta/locks/';

/** Lease of a database; never deleted. */
export const lockKey = (db: string): string => `${LOCKS}${db}.json`;

/** Folder of the pointers. */
export const POINTERS = '_ingesta/current/';

/** Pointer to the manifest that readers use. */
export const pointerKey = (db: string): string => `${POINTERS}${db}.json`;

/** How far the sweep has come: among the runs, and among the snapshots of one database. No source is called `runs`. */
export const sweepKeys = {
  runs: '_ingesta/sweep/runs.json',
  snapshots: (db: string): string => `_ingesta/sweep/${db}.json`,
};

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
