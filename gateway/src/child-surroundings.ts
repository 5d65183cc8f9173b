import type { Env } from './config';

/** What a child process needs from its surroundings; everything else comes over its channel. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SystemRoot'];

/** The environment of a child process of the gateway's own: no secret, for it shows in the process list. */
export const childEnv = (env: Env): Record<string, string> => pick(env, (name) => PASSED_ON.includes(name));

/** What `openLake` and the AWS SDK read, how objects are stored included, for a child that opens the gateway's lake: goes over its channel. */
export const lakeEnv = (env: Env): Record<string, string> => pick(env, (name) => /^(AWS_|LAKE_|S3_)/.test(name));

const pick = (env: Env, wanted: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value && wanted(name) ? [[name, value]] : [])));
