import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Lake, openLake } from '@ingesta/kit';
import { gatewayCredentials } from '../../gateway/src/ingest/script-access';
import type { Left } from './judge/leftovers';

type Env = Readonly<Record<string, string>>;

/** A lake of one run's own: an empty folder, or an empty prefix of the bucket. */
export interface TestLake {
  readonly lake: Lake;
  /** What the script gets to know of it. */
  readonly env: Env;
}

/** Makes lakes, and removes them all. */
export interface TestLakes {
  readonly kind: 'folder' | 's3';
  fresh(): Promise<TestLake>;
  /** Settings of a lake that can take nothing. */
  refusing(): Env;
  remove(): Promise<void>;
}

/** The names under which people describe a bucket. */
export const BUCKET_SETTINGS = [
  'AWS_BUCKET_NAME',
  'S3_BUCKET',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL_S3',
  'AWS_ENDPOINT_URL',
] as const;

/** In the bucket that `env` names, else in a temporary folder. `secret` plays the lake's secret where there is none. */
export async function openTestLakes(
  env: Readonly<Record<string, string | undefined>>,
  secret: string,
): Promise<TestLakes> {
  return env.AWS_BUCKET_NAME || env.S3_BUCKET ? bucketLakes(env) : folderLakes(secret);
}

async function folderLakes(secret: string): Promise<TestLakes> {
  const root = await mkdtemp(join(tmpdir(), 'ingesta-conformance-'));
  const AWS = { AWS_ACCESS_KEY_ID: `id-${randomUUID()}`, AWS_SECRET_ACCESS_KEY: secret };
  const opened: Lake[] = [];
  return {
    kind: 'folder',
    async fresh() {
      const folder = join(root, `lake-${opened.length}`);
      await mkdir(folder);
      const env = { LAKE_URL: pathToFileURL(folder).href, ...AWS };
      const lake = await openLake(env);
      opened.push(lake);
      return { lake, env };
    },
    // Nobody can make a folder there, root neither, in a container as little as on this machine.
    refusing: () => ({ LAKE_URL: 'file:///proc/ingesta-conformance/lake', ...AWS }),
    async remove() {
      for (const lake of opened) await lake.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function bucketLakes(env: Readonly<Record<string, string | undefined>>): Promise<TestLakes> {
  const given = Object.fromEntries(BUCKET_SETTINGS.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const base: Env = { ...given, ...(await gatewayCredentials({ ...env, LAKE_URL: undefined })) };
  const prefix = [env.LAKE_PREFIX?.replace(/^\/+|\/+$/g, ''), `conformance-${randomUUID()}`].filter(Boolean).join('/');
  const opened: Lake[] = [];
  return {
    kind: 's3',
    async fresh() {
      const own = { ...base, LAKE_PREFIX: `${prefix}/${opened.length}` };
      const lake = await openLake(own);
      opened.push(lake);
      return { lake, env: own };
    },
    // Nobody listens at port 1.
    refusing: () => ({ ...base, LAKE_PREFIX: prefix, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' }),
    async remove() {
      for (const lake of opened) {
        for await (const { key } of lake.list('')) await lake.delete(key);
        for await (const { key, uploadId } of lake.openUploads('')) await lake.abortUpload(key, uploadId);
        await lake.close();
      }
    },
  };
}

/** What a script records of its plans, for whoever has to clear up behind it: it speaks of no success. */
const PLANS = /^_ingesta\/runs\/.*\/(objects-\d+|upload-\d+-\d+)\.json$/;

/** All that is in a lake, uploads that nobody ended as well, but for records of plans. */
export async function listed(lake: Lake): Promise<Left[]> {
  const found: Left[] = [];
  for await (const { key, bytes } of lake.list('')) if (!PLANS.test(key)) found.push({ key, bytes });
  for await (const { key } of lake.openUploads('')) found.push({ key: `an open upload of ${key}`, bytes: 0 });
  return found;
}

/** An object whole; null if absent. */
export async function readWhole(lake: Lake, key: string): Promise<Buffer | null> {
  const stream = await lake.read(key);
  if (stream === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
