import { randomUUID } from 'node:crypto';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { type Job, jobSchema } from '../contract/job';
import { SOURCE_NAME } from '../contract/source-description';
import { configError } from '../errors';
import { readDatasets } from './read-datasets';

/** A job is settings, not data. */
const MAX_JOB_BYTES = 1024 * 1024;

/** `20250102_153045`, in UTC. */
export function timestampOf(date: Date): string {
  return date.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '_');
}

/** The job from stdin when `INGESTA_JOB=stdin` announces one, else the one that the environment alone describes. */
export async function readJob(env: NodeJS.ProcessEnv, argv: readonly string[], stdin: Readable): Promise<Job> {
  if (env.INGESTA_JOB === 'stdin') return parseJob(await readAll(stdin));
  if (env.INGESTA_JOB)
    throw configError(`INGESTA_JOB=${env.INGESTA_JOB} is unknown`, 'Use INGESTA_JOB=stdin or unset it.');
  const job = jobFromEnv(env, argv.includes('--dry-run'));
  return env.DATASETS_DIR ? { ...job, datasets: await readDatasets(env.DATASETS_DIR, job.database) } : job;
}

function parseJob(text: string): Job {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw configError(
      'stdin holds no JSON job',
      'INGESTA_JOB=stdin promises one; unset it to configure by environment.',
    );
  }
  const parsed = jobSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  // Paths only: values of a job may be secret.
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || '(whole)').join(', ');
  throw configError(
    `The job on stdin is malformed at: ${fields}`,
    'Gateway and script image must be of the same version.',
  );
}

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
    env: Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
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
