import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Lake, LakeError } from '@ingesta/kit';
import { givenLake } from '../../testing/given';
import type { ClaimedObject } from './verifier';
import { VerifierChild } from './verifier-child';

let lake: Lake;
let env: { LAKE_URL: string };
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, env, remove } = await givenLake()));
afterEach(() => remove());

/** The bundle as it is shipped: `node build.mjs gateway` makes it. */
const program = join(__dirname, '../../../dist/verifier.js');
const never = () => new AbortController().signal;
const verifier = (lakeEnv: Record<string, string> = env) =>
  new VerifierChild({ program, lakeEnv, env: { PATH: process.env.PATH ?? '' } });

async function stored(csv: string, change: Partial<ClaimedObject> = {}): Promise<ClaimedObject> {
  const key = `mysql/t_${randomUUID()}.csv`;
  const body = change.compressed ? gzipSync(csv) : Buffer.from(csv);
  const chunks = async function* () {
    yield body;
  };
  const { bytes, sha256 } = await lake.create(key, chunks(), { contentType: 'text/csv' });
  const rows = csv.split('\n').length - 2;
  return { table: 't', key, bytes, sha256, rows, columns: ['id', 'name'], compressed: false, ...change };
}
const pathOf = (key: string) => fileURLToPath(lake.urlOf(key));
const rejects = (objects: ClaimedObject[], why: string) =>
  expect(verifier().readBack(objects, never())).rejects.toMatchObject({
    code: 'SCRIPT_FAILED',
    message: expect.stringContaining(why),
  });

it('believes the truth, packed or not', async () => {
  const csv = 'id,name\n1,"a,"\n';
  await verifier().readBack([], never());
  await verifier().readBack([await stored(csv), await stored(csv, { compressed: true })], never());
});

it('notices one changed byte that no size shows', async () => {
  const object = await stored('id,name\n1,a\n');
  const bytes = await readFile(pathOf(object.key));
  bytes[bytes.length - 2]! ^= 1;
  await writeFile(pathOf(object.key), bytes);
  await rejects([await stored('id,name\n'), object], 'SHA-256');
});

it('notices rows, sizes, digests and columns that are not what the script said', async () => {
  const csv = 'id,name\n1,a\n2,b\n';
  await rejects([await stored(csv, { rows: 3 })], 'has 2 rows, not 3');
  await rejects([await stored(csv, { bytes: 7 })], 'not 7');
  await rejects([await stored(csv, { sha256: '0'.repeat(64) })], 'SHA-256');
  await rejects([await stored(csv, { columns: ['id', 'nombre'] })], 'column 2');
});

it('notices a CSV that is none, gzip that is none, and an object that is gone', async () => {
  await rejects([await stored('id,name\n1\n')], 'broken');
  const plain = await stored('id,name\n1,a\n');
  await rejects([{ ...plain, compressed: true }], 'unpacked');
  await lake.delete(plain.key);
  await rejects([plain], 'does not exist');
});

it('tells a lake that cannot be read from a lie', async () => {
  const object = await stored('id,name\n1,a\n');
  const nowhere = verifier({ LAKE_URL: 'file:///nowhere/at/all' });
  await expect(nowhere.readBack([object], never())).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
  const s3 = { AWS_BUCKET_NAME: 'bucket', AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' };
  const silent = verifier({ ...s3, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' });
  await expect(silent.readBack([object], never())).rejects.toBeInstanceOf(LakeError);
});

it('ends when it is no longer wanted, and says why', async () => {
  const halt = new AbortController();
  const cancelled = new Error('cancelled');
  const reading = verifier().readBack([await stored('id,name\n')], halt.signal);
  halt.abort(cancelled);
  await expect(reading).rejects.toBe(cancelled);
  await expect(verifier().readBack([], halt.signal)).rejects.toBe(cancelled);
});

it('is a defect, not a lie, when its process dies', async () => {
  const broken = new VerifierChild({ program: '/nowhere/verifier.js', lakeEnv: env, env: {} });
  await expect(broken.readBack([], never())).rejects.toMatchObject({ code: 'INTERNAL' });
});
