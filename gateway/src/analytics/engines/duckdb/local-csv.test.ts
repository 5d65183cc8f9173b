import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Lake } from '@ingesta/kit';
import { givenLake } from '../../../testing/given';
import { localCsv } from './local-csv';

const CSV = 'id\n1\n';
const DIGEST = { bytes: CSV.length, sha256: createHash('sha256').update(CSV).digest('hex') };
const KEY = 'mysql/users.csv';

let lake: Lake;
let remove: () => Promise<void>;
let folder: string;
let path: string;
beforeEach(async () => {
  ({ lake, remove } = await givenLake());
  folder = await mkdtemp(join(tmpdir(), 'ingesta-csv-'));
  path = join(folder, 'local.csv');
  const body = async function* () {
    yield Buffer.from(CSV);
  };
  await lake.create(KEY, body(), { contentType: 'text/csv' });
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  await remove();
});

it('reads the file of a folder lake where it is', async () => {
  const csv = await localCsv(lake, KEY, path);
  expect((await stat(path)).nlink).toBe(2);
  expect(await readFile(path, 'utf8')).toBe(CSV);
  expect(await csv!.digest()).toEqual(DIGEST);
  expect(await csv!.isUnchanged()).toBe(true);
});

it('tells that a file changed meanwhile', async () => {
  const csv = await localCsv(lake, KEY, path);
  await csv!.digest();
  await appendFile(fileURLToPath(lake.urlOf(KEY)), '2\n');
  expect(await csv!.isUnchanged()).toBe(false);
});

it('copies what lies elsewhere', async () => {
  const elsewhere = new Proxy(lake, {
    get: (target, name: keyof Lake) =>
      name === 'urlOf'
        ? (key: string) => `s3://bucket/${key}`
        : name === 'read'
          ? (key: string) => target.read(key)
          : target[name],
  });
  const csv = await localCsv(elsewhere, KEY, path);
  expect((await stat(path)).nlink).toBe(1);
  expect(await csv!.digest()).toEqual(DIGEST);
});

it('finds nothing where nothing is', async () => {
  expect(await localCsv(lake, 'mysql/gone.csv', path)).toBeNull();
});
