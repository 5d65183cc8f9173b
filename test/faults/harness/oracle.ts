import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import {
  databaseOf,
  type Lake,
  LOCKS,
  type Manifest,
  type ManifestEntry,
  manifestSchema,
  PROBES,
  parseRunMarker,
  RUN_MARKERS,
  type RunRecord,
  runKeys,
} from '@ingesta/kit';
import { parseCsv } from '../../../scripts/kit/src/testing/parse-csv';
import { containersLabelled } from '../../e2e/harness/images';
import { settled } from '../../settled';
import type { FaultBucket } from './fault-bucket';

/** Runs may begin while the oracle looks, but nobody starts more of them. */
const MAX_LOOKS = 20;

/** What the oracle has to see of a world. */
export interface Scene {
  readonly folder: string;
  readonly bucket: FaultBucket;
}

/**
 * The oracle of every row: nothing is left of what was under way, every run has its end, every snapshot is whole and of
 * one run, no epoch ever fell, and runs are called succeeded exactly if they were published.
 */
export async function expectSound({ folder, bucket }: Scene): Promise<void> {
  for (let look = 1; ; look += 1) {
    const left = await settled(
      () => leftovers(folder, bucket),
      ({ length }) => length === 0,
    );
    expect(left).toEqual([]);
    const before = await recordsOf(bucket.lake);
    const published = await publishedRuns(bucket);
    const records = await recordsOf(bucket.lake);
    const isStill = isDeepStrictEqual(records, before) && records.every(({ state }) => state !== 'running');
    // One whose caller hung up while it waited for its turn, or for a dead gateway's lease, may begin when all seems over.
    if (!isStill && look < MAX_LOOKS) continue;
    expect(records).toEqual(before);
    const succeeded = records.filter(({ state }) => state === 'succeeded').map(({ run_id }) => run_id);
    expect(succeeded.sort()).toEqual([...published].sort());
    return;
  }
}

/** The runs of all snapshots from the current ones back; each was looked at. */
async function publishedRuns(bucket: FaultBucket): Promise<Set<string>> {
  const published = new Set<string>();
  for (const database of await databasesOf(bucket.lake)) {
    const pointers = await bucket.history(`_ingesta/current/${database}.json`);
    const leases = await bucket.history(`_ingesta/locks/${database}.json`);
    expect(leases).not.toEqual([]);
    expectRising(pointers.map(({ epoch }) => epoch));
    expectRising(leases.map(({ epoch }) => epoch));
    expectRising(leases.map(({ last_timestamp }) => last_timestamp));
    const epochs = new Map<number, string>();
    for (const { epoch, nonce } of leases) {
      // An epoch has one holder.
      expect(epochs.get(epoch) ?? nonce).toBe(nonce);
      epochs.set(epoch, nonce);
    }
    for (let key = pointers.at(-1)?.manifest ?? null; key !== null; ) {
      const manifest = await manifestAt(bucket.lake, key);
      for (const [table, entry] of Object.entries(manifest.tables)) await expectWhole(bucket.lake, table, entry);
      await expectOneGeneration(bucket.lake, manifest);
      published.add(manifest.run_id);
      key = manifest.parent;
    }
    // Nothing that readers were shown is gone from the chain.
    const shown = new Set(pointers.flatMap(({ manifest }) => manifest ?? []));
    for (const key of shown) expect(published).toContain((await manifestAt(bucket.lake, key)).run_id);
  }
  return published;
}

/** What must go away by itself: held leases, open runs, half-done uploads, processes and containers of scripts. */
async function leftovers(folder: string, bucket: FaultBucket): Promise<string[]> {
  const left: string[] = [];
  for (const database of await databasesOf(bucket.lake)) {
    const lease = await readJson(bucket.lake, `${LOCKS}${database}.json`);
    if (lease.state !== 'free') left.push(`lease of ${database}`);
  }
  const records = await recordsOf(bucket.lake);
  for (const { state, run_id } of records) if (state === 'running') left.push(`run ${run_id}`);
  for await (const { key } of bucket.lake.list(PROBES)) left.push(key);
  left.push(...(await bucket.unfinishedUploads()).map((key) => `upload of ${key}`));
  left.push(...scriptsOf(folder).map((pid) => `process ${pid}`));
  if (records.some(({ runner }) => runner === 'docker')) {
    for (const { run_id } of records) {
      left.push(...(await containersLabelled(`ingesta.run=${run_id}`)).map((id) => `container ${id} of ${run_id}`));
    }
  }
  return left;
}

/** Scripts of the process runner that were started under this world's gateways, whoever is their parent by now. */
export function scriptsOf(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const env = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      return env.includes(`TMPDIR=${folder}`) && env.includes('INGESTA_JOB=stdin');
    } catch {
      return false; // It ended meanwhile.
    }
  });
}

async function databasesOf(lake: Lake): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of lake.list(LOCKS)) found.push(databaseOf(key));
  return found;
}

export async function recordsOf(lake: Lake): Promise<RunRecord[]> {
  const found: RunRecord[] = [];
  for await (const { key } of lake.list(RUN_MARKERS)) {
    const { runId, database } = parseRunMarker(key)!;
    // A gateway may die between the marker and the record: then the run never began.
    const stored = await lake.get(runKeys(database, runId).run);
    if (stored) found.push(JSON.parse(stored.body.toString()));
  }
  return found;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into records freely.
export async function readJson(lake: Lake, key: string): Promise<any> {
  const stored = await lake.get(key);
  if (stored === null) throw new Error(`${key} does not exist`);
  return JSON.parse(stored.body.toString());
}

const manifestAt = async (lake: Lake, key: string): Promise<Manifest> =>
  manifestSchema.parse(await readJson(lake, key));

async function expectWhole(lake: Lake, table: string, entry: ManifestEntry): Promise<void> {
  const bytes = await readAll(lake, entry.key);
  const rows = entry.key.endsWith('.csv') ? parseCsv(bytes.toString()).length - 1 : entry.rows;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  expect({ table, bytes: bytes.length, sha256, rows }).toEqual({
    table,
    bytes: entry.bytes,
    sha256: entry.sha256,
    rows: entry.rows,
  });
}

/** The shop's two tables are of one generation, in every row, where the manifest calls them a snapshot. */
async function expectOneGeneration(lake: Lake, { consistency, tables }: Manifest): Promise<void> {
  if (consistency !== 'snapshot') return;
  const found = new Set<string | null>();
  for (const name of ['orders', 'payments']) {
    const entry = tables[name];
    if (!entry?.key.endsWith('.csv')) continue;
    const [header, ...rows] = parseCsv((await readAll(lake, entry.key)).toString());
    const column = header!.indexOf('generation');
    for (const row of rows) found.add(row[column]!);
  }
  expect(found.size).toBeLessThanOrEqual(1);
}

async function readAll(lake: Lake, key: string): Promise<Buffer> {
  const stream = await lake.read(key);
  if (stream === null) throw new Error(`${key} does not exist`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function expectRising(numbers: readonly number[]): void {
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
}
