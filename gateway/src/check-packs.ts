import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SqlChecker } from './analytics/engines/engine';
import { createEngine } from './analytics/engines/index';
import { KnownSql, type SqlVerdicts } from './analytics/packs/known-sql';
import { loadPacks } from './analytics/packs/load-packs';
import type { Pack } from './analytics/packs/pack';
import { PackError } from './analytics/packs/pack-error';
import { OWN_FIRST_PARTS } from './app';
import { firstFolder } from './bundle-folder';
import { type Config, parseConfig } from './config';
import { createLog } from './log';

/** Beside the bundle, in the image: what the check of the shipped packs found. */
const VERDICTS = 'checked-packs.json';

/** The analytics packs. Throws with what to do where a file is wrong, or nothing can check it. */
export async function checkedPacks(config: Config, checker: SqlChecker): Promise<Pack[]> {
  const verdicts = join(__dirname, VERDICTS);
  const known = existsSync(verdicts) ? (JSON.parse(readFileSync(verdicts, 'utf8')) as SqlVerdicts) : {};
  const folders = { shipped: shippedPacks(), mounted: config.packsDir, chosen: config.packs };
  try {
    return await loadPacks(folders, OWN_FIRST_PARTS, new KnownSql(known, checker));
  } catch (error) {
    if (error instanceof PackError) throw error;
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
    throw new Error(`The analytics packs cannot be checked. PACKS=none starts without them. ${why}`, { cause: error });
  }
}

/** Checks the packs that come with the gateway and prints what their statements answer with: for the image's build. */
export async function checkShippedPacks(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ingesta-check-'));
  const config = parseConfig({ LAKE_URL: pathToFileURL(folder).href, ANALYTICS_CACHE_DIR: join(folder, 'cache') });
  const engines = createEngine(config, __dirname, createLog('error', []));
  const verdicts: SqlVerdicts = {};
  const learning = new KnownSql({}, engines.checker, (question, columns) => {
    verdicts[question] = columns;
  });
  try {
    await loadPacks({ shipped: shippedPacks(), mounted: null, chosen: null }, OWN_FIRST_PARTS, learning);
    process.stdout.write(`${JSON.stringify(verdicts)}\n`);
  } finally {
    await engines.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const shippedPacks = () => firstFolder('../../analytics', 'analytics');
