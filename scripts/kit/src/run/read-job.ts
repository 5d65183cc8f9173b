import { randomUUID } from 'node:crypto';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { type Job, jobSchema } from '../contract/job';
import { SOURCE_NAME } from '../contract/source-description';
import { configError } from '../errors';
import { openLake } from '../lake/open-lake';
import { readDatasets } from './read-datasets';

/** A job is settings, not data. */
const MAX_JOB_BYTES = 1024 * 1024;

/** `20250102_153045`, in UTC. */
export function timestampOf(date: Date): string {
  return date.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '_');
}

/** Announces a job that lies in the lake: `INGESTA_JOB=lake:<key>`. */
const IN_LAKE = 'lake:';

/** Whether nobody reads this launch's stdout: its job came from the lake, and its answer has to go there. */
export const answersInLake = (env: NodeJS.ProcessEnv): boolean => env.INGESTA_JOB?.startsWith(IN_LAKE) ?? false;

/**
 * The job that `INGESTA_JOB` announces: on stdin, or in the lake that the environment names; else the one that the
 * environment alone describes.
 */
export async function readJob(env: NodeJS.ProcessEnv, argv: readonly string[], stdin: Readable): Promise<Job> {
  const { INGESTA_JOB: announced } = env;
  if (announced === 'stdin') return parseJob(await readAll(stdin), 'stdin');
  if (announced && answersInLake(env)) return jobFromLake(env, announced.slice(IN_LAKE.length));
  if (announced)
    throw configError(`INGESTA_JOB=${announced} is unknown`, 'Use INGESTA_JOB=stdin, lake:<key>, or unset it.');
  const job = jobFromEnv(env, argv.includes('--dry-run'));
  return env.DATASETS_DIR ? { ...job, datasets: await readDatasets(env.DATASETS_DIR, job.database) } : job;
}

/** A job without secrets: what the environment has of its own counts before what stands in it. */
async function jobFromLake(env: NodeJS.ProcessEnv, key: string): Promise<Job> {
  const lake = await openLake(env);
  try {
    const stored = await lake.get(key);
    if (stored === null) throw configError(`There is no job at ${key} in ${lake.url}`, 'Only a gateway puts it there.');
    const job = parseJob(stored.body.toString('utf8'), key);
    return { ...job, env: { ...job.env, ...definedIn(env) } };
  } finally {
    await lake.close();
  }
}

/** `from`: where the text stood. */
function parseJob(text: string, from: string): Job {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw configError(`${from} holds no JSON job`, 'INGESTA_JOB promises one; unset it to configure by environment.');
  }
  const parsed = jobSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  // Paths only: values of a job may be secret.
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || '(whole)').join(', ');
  throw configError(
    `The job on ${from} is malformed at: ${fields}`,
    'Gateway and script image must be of the same version.',
  );
}

const definedIn = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));

/** The job of a bare `docker run`: no gateway, settings from the environment. */
export function jobFromEnv(env: NodeJS.ProcessEnv, dryRun: boolean, now = new Date()): Job {
  // A source is its folder: the image names it, otherwise the folder that `dist/main.js` lies in.
  const database = env.INGESTA_SOURCE || basename(dirname(dirname(process.argv[1] ?? '')));
  if (!SOURCE_NAME.test(database)) {
    throw configError(`"${database}" is no source name`, 'Set INGESTA_SOURCE to a name like "mysql".');
  }
  const format = env.FORMAT || 'csv';
  if (format !== 'csv' && format !== 'csv.gz') throw configError(`FORMAT=${format} is unknown`, 'Use csv or csv.gz.');
  return {
    database,
    run_id: randomUUID(),
    attempt: 1,
    nonce: randomUUID(),
    timestamp: timestampOf(now),
    deadline: deadlineFrom(env.RUN_TIMEOUT, now),
    tables: null,
    format,
    datasets: [],
    dry_run: dryRun,
    env: definedIn(env),
  };
}

function deadlineFrom(seconds: string | undefined, now: Date): string | null {
  if (!seconds) return null;
  if (!/^[1-9]\d{0,6}$/.test(seconds))
    throw configError(`RUN_TIMEOUT=${seconds} is no number of seconds`, 'Use e.g. 3600.');
  return new Date(now.getTime() + Number(seconds) * 1000).toISOString();
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_JOB_BYTES)
      throw configError('The job on stdin is over 1 MiB', 'Check what is piped into the script.');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
