import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ManifestEntry, parquetKeys } from '@ingesta/kit';
import { givenLake } from '../../../testing/given';
import type { QueryTable } from '../engine';
import { type GivenEngine, givenEngine } from '../testing/given-engine';
import { declared, exportGiven, type GivenTable, given } from '../testing/given-table';
import { twinIdentity, twinKey, twinMetadata } from '../twin';

const never = () => new AbortController().signal;
const STATEMENT = { sql: 'SELECT sum(id) AS n, max(name) AS name FROM mysql_users', parameters: [] };
const ANSWER = [[15, 'e']];
const USERS: GivenTable = {
  table: 'users',
  columns: [given('id', 'integer'), given('name', 'text')],
  rows: ['a', 'b', 'c', 'd', 'e'].map((name, index) => [String(index + 1), name]),
};

let lake: Awaited<ReturnType<typeof givenLake>>;
let own: GivenEngine;
let users: QueryTable;
let entry: ManifestEntry;
let twin: string;
const others: GivenEngine[] = [];

beforeEach(async () => {
  lake = await givenLake();
  own = await givenEngine(lake.env);
  entry = await exportGiven(lake.lake, USERS);
  users = tableOf(entry);
  twin = twinKey('mysql', 'users', entry);
});
afterEach(async () => {
  for (const other of [...others.splice(0), own]) await other.close();
  await lake.remove();
});

const tableOf = (of: ManifestEntry): QueryTable =>
  declared(USERS, of, [
    { name: 'id', type: 'bigint' },
    { name: 'name', type: 'varchar' },
  ]);

async function ask({ engine }: GivenEngine, table = users) {
  const [result] = await engine.query([table], [STATEMENT], never());
  return result!.rows;
}

async function fresh(settings: Parameters<typeof givenEngine>[1] = {}): Promise<GivenEngine> {
  const other = await givenEngine(lake.env, settings);
  others.push(other);
  return other;
}

const cached = ({ cacheFolder }: GivenEngine) =>
  readdirSync(cacheFolder)
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(cacheFolder, name));

/** The query does not wait for the upload. */
async function uploaded(): Promise<void> {
  while ((await lake.lake.head(twin)) === null) await sleep(10);
}

async function* bodyOf(text: string) {
  yield Buffer.from(text);
}

it('makes the twin from the CSV once, however many ask, and leaves it in cache and lake', async () => {
  expect(await Promise.all([ask(own), ask(own), ask(own)])).toEqual([ANSWER, ANSWER, ANSWER]);
  await uploaded();
  expect(cached(own)).toHaveLength(1);
  expect((await lake.lake.get(twin))!.body).toEqual(await readFile(cached(own)[0]!));
});

it('reads the cache when it has the file', async () => {
  await ask(own);
  await uploaded();
  await lake.lake.delete(entry.key);
  await lake.lake.delete(twin);
  expect(await ask(own)).toEqual(ANSWER);
  const neighbour = own.neighbour();
  others.push(neighbour);
  expect(await ask(neighbour)).toEqual(ANSWER);
});

it('reads the twin when the cache has nothing', async () => {
  await own.engine.makeTwin('mysql', 'users', entry, never());
  await lake.lake.delete(entry.key);
  const other = await fresh();
  expect(await ask(other)).toEqual(ANSWER);
  expect(other.warnings).toEqual([]);
});

it('asks again when a file of the cache is gone before the last statement', async () => {
  await ask(own);
  await uploaded();
  const slow = {
    sql: 'SELECT count(*) AS n FROM range(20000) a(x), range(20000) b(y) WHERE mod(x * y, 7) = 3',
    parameters: [],
  };
  const asking = own.engine.query([users], [slow, STATEMENT], never());
  await sleep(200);
  for (const path of cached(own)) rmSync(path);
  expect((await asking)[1]!.rows).toEqual(ANSWER);
  expect(cached(own)).toHaveLength(1);
});

it('fetches a cached file anew when its content is wrong', async () => {
  await ask(own);
  const [path] = cached(own);
  const bytes = await readFile(path!);
  bytes[10]! ^= 1;
  writeFileSync(path!, bytes);
  utimesSync(path!, new Date(0), new Date(0));
  expect(await ask(own)).toEqual(ANSWER);
  writeFileSync(cached(own)[0]!, 'half a fi');
  const neighbour = own.neighbour();
  others.push(neighbour);
  expect(await ask(neighbour)).toEqual(ANSWER);
});

/** Says that it is the twin, and is not. */
async function damage() {
  const { metadata } = (await lake.lake.head(twin))!;
  await lake.lake.delete(twin);
  await lake.lake.create(twin, bodyOf('PAR1 no more'), { contentType: 'x', metadata: metadata! });
}
const bytesIn = async (key: string) => (await lake.lake.get(key))?.body.toString('latin1');
const parquetObjects = async () => {
  const keys: string[] = [];
  for await (const { key } of lake.lake.list('_ingesta/parquet/')) keys.push(key);
  return keys;
};

it('reads the CSV when the twin is damaged, says so, and puts another one in its place', async () => {
  await own.engine.makeTwin('mysql', 'users', entry, never());
  await damage();
  const other = await fresh();
  expect(await ask(other)).toEqual(ANSWER);
  expect(other.warnings).toEqual([expect.stringMatching(/^a twin in the lake is damaged.*data\.parquet/)]);
  while ((await bytesIn(twin)) === 'PAR1 no more') await sleep(10);
  const third = await fresh();
  expect(await ask(third)).toEqual(ANSWER);
  expect(third.warnings).toEqual([]);
});

it('replaces a damaged twin for those who read nothing but twins, and no other', async () => {
  const made = await own.engine.makeTwin('mysql', 'users', entry, never());
  const repair = () => own.engine.repairTwin('mysql', 'users', entry, never());
  const { etag } = (await lake.lake.head(twin))!;
  expect(await repair()).toBe(false);
  expect((await lake.lake.head(twin))!.etag).toBe(etag);
  await damage();
  expect(await repair()).toBe(true);
  expect(await repair()).toBe(false);
  expect(await own.engine.makeTwin('mysql', 'users', entry, never())).toEqual(made);
  expect(await bytesIn(twin)).toMatch(/^PAR1[\s\S]*PAR1$/);
  // Nothing stays beside it.
  expect(await parquetObjects()).toEqual([twin]);
});

/** What a gateway of another version makes of the same CSV, with types that this one would not choose. */
const ofVersion = (version: string) => {
  const changed = { ...entry, columns: [given('id', 'integer'), given(version, 'text')] };
  return { contentType: 'x', metadata: twinMetadata(changed, { sha256: 'ab'.repeat(32), types: '' }) };
};

it.each([
  ['an earlier version made', () => ofVersion('before')],
  ['it did not make', () => ({ contentType: 'x', metadata: {} })],
])('does not take what %s for the twin, and puts the twin beside it for whoever reads that', async (_, options) => {
  const [own1, other] = parquetKeys('mysql', 'users', entry.run_id);
  await lake.lake.create(own1, bodyOf('PAR1 of somebody'), options());
  expect(await ask(own)).toEqual(ANSWER);
  const made = await own.engine.makeTwin('mysql', 'users', entry, never());
  expect(made.key).toBe(other);
  expect(await bytesIn(own1)).toBe('PAR1 of somebody');
  const third = await fresh();
  await lake.lake.delete(entry.key);
  expect(await ask(third)).toEqual(ANSWER);
  expect([...own.warnings, ...third.warnings]).toEqual([]);
});

it('takes the place that was written longest ago where neither is free', async () => {
  const [first, second] = parquetKeys('mysql', 'users', entry.run_id);
  await lake.lake.create(second, bodyOf('PAR1 before'), ofVersion('before'));
  while ((await lake.lake.head(second))!.modified >= new Date()) await sleep(10);
  await sleep(10);
  await lake.lake.create(first, bodyOf('PAR1 now'), ofVersion('now'));
  const made = await own.engine.makeTwin('mysql', 'users', entry, never());
  expect(made.key).toBe(second);
  expect(await bytesIn(first)).toBe('PAR1 now');
  expect(await bytesIn(second)).toMatch(/^PAR1[\s\S]*PAR1$/);
  expect((await parquetObjects()).sort()).toEqual([first, second].sort());
});

it('makes one twin where two processes make it at once', async () => {
  const other = await fresh();
  const [left, right] = await Promise.all(
    [own, other].map(({ engine }) => engine.makeTwin('mysql', 'users', entry, never())),
  );
  expect(left).toEqual(right);
  expect((await lake.lake.head(twin))!.metadata).toMatchObject({ 'ingesta-sha256': left!.sha256 });
});

it('gives up waiting for a twin with its signal', async () => {
  const reason = new Error('enough');
  await expect(own.engine.makeTwin('mysql', 'users', entry, AbortSignal.abort(reason))).rejects.toBe(reason);
});

it('tells tables apart that have the same bytes and other types', async () => {
  const typed: GivenTable = { table: 'codes', columns: [given('code', 'integer')], rows: [['7']] };
  const asText: GivenTable = { ...typed, columns: [given('code', 'text')] };
  const [one, two] = await Promise.all([exportGiven(lake.lake, typed), exportGiven(lake.lake, asText)]);
  expect(one.sha256).toBe(two.sha256);
  expect(twinIdentity(one)).not.toBe(twinIdentity(two));
  expect((await own.engine.makeTwin('mysql', 'codes', one, never())).columns[0]!.type).toBe('bigint');
  expect((await own.engine.makeTwin('mysql', 'codes', two, never())).columns[0]!.type).toBe('varchar');
});

it('makes room by removing what was used longest ago', async () => {
  const entries = await Promise.all([1, 2, 3].map(() => exportGiven(lake.lake, bigUsers())));
  // Fetched, not made: an upload in the background would hold its file.
  for (const one of entries) await own.engine.makeTwin('mysql', 'users', one, never());
  // Room for two of them.
  const other = await fresh({ cacheMiB: 1.9 });
  const [first, second, third] = entries.map(tableOf);
  await ask(other, first);
  await ask(other, second);
  const past = new Date(Date.now() - 100_000);
  for (const path of cached(other)) utimesSync(path, past, past);
  await ask(other, first);
  await ask(other, third);
  const left = [first!, third!].map((table) => expect.stringContaining(twinIdentity(table.entry)));
  expect(cached(other)).toEqual(expect.arrayContaining(left));
  expect(cached(other)).toHaveLength(2);
});

/** About 1 MB that does not compress. */
const bigUsers = (): GivenTable => ({
  ...USERS,
  rows: Array.from({ length: 25_000 }, (_, n) => [
    String(n),
    Array.from({ length: 4 }, () => Math.random().toString(36).slice(2)).join(''),
  ]),
});
