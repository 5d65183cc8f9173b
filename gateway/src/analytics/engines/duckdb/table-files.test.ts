import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ManifestEntry } from '@ingesta/kit';
import { givenLake } from '../../../testing/given';
import type { QueryTable } from '../engine';
import { type GivenEngine, givenEngine } from '../testing/given-engine';
import { declared, exportGiven, type GivenTable, given } from '../testing/given-table';
import { twinIdentity, twinKey } from '../twin';

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

it('reads the CSV when the twin is damaged, and says so', async () => {
  await own.engine.makeTwin('mysql', 'users', entry, never());
  const { metadata } = (await lake.lake.head(twin))!;
  await lake.lake.delete(twin);
  await lake.lake.create(twin, bodyOf('PAR1 no more'), { contentType: 'x', metadata: metadata! });
  const other = await fresh();
  expect(await ask(other)).toEqual(ANSWER);
  expect(other.warnings).toEqual([expect.stringMatching(/^a twin in the lake is damaged.*data\.parquet/)]);
});

it('does not take what it did not make for a twin', async () => {
  await lake.lake.create(twin, bodyOf('PAR1 of somebody'), { contentType: 'x', metadata: {} });
  expect(await ask(own)).toEqual(ANSWER);
  while (own.warnings.length === 0) await sleep(10);
  expect(own.warnings).toEqual([expect.stringMatching(/^a twin could not be uploaded.*is not the twin of/)]);
  await expect(own.engine.makeTwin('mysql', 'users', entry, never())).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringContaining('is not the twin of'),
    hint: expect.stringContaining('Delete that object'),
  });
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
