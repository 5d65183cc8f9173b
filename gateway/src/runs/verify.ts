import { ATTEMPT_METADATA, type Job, type Lake, type ScriptResult, sensitiveRules } from '@ingesta/kit';
import { ApiError } from '../errors';
import { forEachOf } from './for-each-of';
import type { ClaimedObject } from './verifier/verifier';

/** What a script said is not so. */
export const doesNotHold = (message: string): ApiError =>
  new ApiError('SCRIPT_FAILED', `The result does not hold: ${message}`, {
    hint: 'Nothing was published. The script, the lake or something between them is broken; see the log.',
  });

/** What `keys.ts` makes: safe characters, no part that is empty or starts with a dot, none of our own records. */
const DATA_KEY = /^(?!_ingesta\/)[\w%=-][\w.%=-]*(\/[\w%=-][\w.%=-]*)*$/;
/** HEADs under way at once. */
const PARALLEL = 16;

/**
 * Compares what the script claims with what the lake tells without reading: every object exists under a key of its own, with
 * the claimed size and, where both have one, checksum, made by this very attempt; the tables are the ones that were asked for, and no column is one that must
 * not leave (a script in another language may have forgotten). Throws `SCRIPT_FAILED`.
 */
export async function verifyResult(lake: Lake, job: Job, result: ScriptResult): Promise<void> {
  const entries = Object.entries(result.result);
  const fail = (message: string): never => {
    throw doesNotHold(message);
  };
  const owed = job.tables ?? job.datasets.map(({ name }) => name);
  const missing = owed.filter((table) => !Object.hasOwn(result.result, table));
  if (missing.length > 0) fail(`it lacks ${missing.join(', ')}`);
  if (job.tables) {
    const extra = entries.map(([table]) => table).filter((table) => !job.tables?.includes(table));
    if (extra.length > 0) fail(`nobody asked for ${extra.join(', ')}`);
  }
  if (entries.length === 0) fail('it has no table');
  if (new Set(entries.map(([, entry]) => entry.key)).size < entries.length) fail('two tables share a key');

  const rules = sensitiveRules(job.database, {
    add: job.env.SENSITIVE_COLUMNS,
    allow: job.env.SENSITIVE_COLUMNS_ALLOW,
  });
  // A template may put data anywhere; without one each database keeps to its own folder.
  const folder = job.env.KEY_TEMPLATE ? '' : `${job.database}/`;

  const verifyOne = async ([table, entry]: (typeof entries)[number]) => {
    const own = DATA_KEY.test(entry.key) && entry.key.startsWith(folder) && entry.key.includes(job.timestamp);
    if (!own) fail(`${table} has a foreign key`);
    const open = entry.columns.find(({ name }) => rules.reason(table, [name]) !== null);
    if (open) fail(`column ${open.name} of ${table} must not leave the database`);
    if (entry.url !== lake.urlOf(entry.key)) fail(`URL and key of ${table} differ`);
    const head = await lake.head(entry.key);
    if (head === null) return fail(`the object of ${table} does not exist`);
    if (head.bytes !== entry.bytes) fail(`the object of ${table} has ${head.bytes} bytes, not ${entry.bytes}`);
    if (entry.crc32 && head.crc32 && head.crc32 !== entry.crc32) fail(`the object of ${table} has another checksum`);
    // A script in another language cannot mark its files in a folder lake; in S3 it can, and must.
    if (head.metadata !== null && head.metadata[ATTEMPT_METADATA] !== job.nonce)
      fail(`the object of ${table} was made by another attempt`);
  };
  await forEachOf(entries, verifyOne, PARALLEL);
}

/** What is read back where the lake's word is not enough. */
export const claimedObjects = (job: Job, { result }: ScriptResult): ClaimedObject[] =>
  Object.entries(result).map(([table, { key, bytes, sha256, registros, columns }]) => ({
    table,
    key,
    bytes,
    sha256,
    rows: registros,
    columns: columns.map(({ name }) => name),
    compressed: job.format === 'csv.gz',
  }));
