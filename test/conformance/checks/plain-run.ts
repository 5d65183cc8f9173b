import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ATTEMPT_METADATA, runKeys } from '@ingesta/kit';
import { csvProblems } from '../judge/csv';
import { readEvents } from '../judge/events';
import { exitOf } from '../judge/exits';
import { keyProblems } from '../judge/keys';
import { identityProblems, readOutput } from '../judge/read-output';
import { rulesOf, sensitiveProblems } from '../judge/sensitive';
import { listed } from '../test-lake';
import { advice, failed, judged, notChecked, ok } from '../verdict';
import { type Check, count, onPlainRun } from './check';

export const takesJob: Check = {
  name: 'job',
  promise: 'a job on stdin is done, and the exit code is 0',
  async run(bench) {
    const { seen } = await bench.plain();
    return seen.exitCode === 0 && !seen.timedOut
      ? ok(`exit 0 after ${(seen.durationMs / 1000).toFixed(1)} s`)
      : failed(exitOf(seen));
  },
};

export const oneDocument: Check = {
  name: 'stdout',
  promise: 'stdout is exactly one JSON document of at most 16 MiB, of the known shape',
  async run(bench) {
    const { seen } = await bench.plain();
    const { problem } = readOutput(seen);
    return problem === null ? ok(count(seen.stdout.length, 'byte')) : failed(problem);
  },
};

export const answersJob: Check = {
  name: 'result',
  promise: 'the result repeats the job: database, run_id, attempt, nonce',
  run: onPlainRun(({ result, job }) =>
    judged(
      identityProblems(result, job),
      `${count(Object.keys(result.result).length, 'table')}, ${result.consistency}`,
    ),
  ),
};

export const events: Check = {
  name: 'events',
  promise: 'every line on stderr is a JSON event of a known shape',
  async run(bench) {
    const { seen } = await bench.plain();
    const { events, problems } = readEvents(seen.stderr);
    return judged(problems.slice(0, 3), count(events.length, 'event'));
  },
};

export const keys: Check = {
  name: 'keys',
  promise: 'keys stand in the folder of the database, carry the timestamp, and are told with their URL',
  run: onPlainRun(({ result, job, lake }) =>
    judged(keyProblems(result, job, lake.lake), Object.values(result.result)[0]?.key ?? 'no table'),
  ),
};

export const objects: Check = {
  name: 'objects',
  promise: 'each table is one object of the told size and SHA-256, and nothing else is in the lake',
  run: onPlainRun(async ({ result, lake, bodies }) => {
    const problems: string[] = [];
    const claimed = new Set(Object.values(result.result).map(({ key }) => key));
    for (const { key } of await listed(lake.lake))
      if (!claimed.has(key) && !key.startsWith('_ingesta/')) problems.push(`nobody told of ${key}`);
    for (const [table, { key, bytes, sha256 }] of Object.entries(result.result)) {
      const head = await lake.lake.head(key);
      const body = bodies.get(table);
      if (head === null) problems.push(`the object of ${table} does not exist`);
      else if (head.bytes !== bytes) problems.push(`${table} has ${head.bytes} bytes, not ${bytes}`);
      else if (body && createHash('sha256').update(body).digest('hex') !== sha256) {
        problems.push(`the SHA-256 of ${table} is another one`);
      }
    }
    return judged(problems, count(claimed.size, 'object'));
  }),
};

export const attempt: Check = {
  name: 'attempt',
  promise: 'in S3 each object carries the nonce of its job as metadata ingesta-attempt',
  run: onPlainRun(async ({ result, job, lake }, { lakes }) => {
    if (lakes.kind === 'folder') return notChecked('the lake is a folder: set AWS_BUCKET_NAME and its credentials');
    const problems: string[] = [];
    for (const [table, { key }] of Object.entries(result.result)) {
      const head = await lake.lake.head(key);
      const marked = head?.metadata?.[ATTEMPT_METADATA];
      if (marked !== job.nonce) problems.push(`the object of ${table} has ${ATTEMPT_METADATA}=${marked ?? '(none)'}`);
    }
    return judged(problems, `${ATTEMPT_METADATA} on each`);
  }),
};

export const csv: Check = {
  name: 'csv',
  promise: 'the CSV is UTF-8, its header the columns, its rows as many as told, its values of their logical type',
  run: onPlainRun(({ result, bodies }) => {
    const entries = Object.entries(result.result);
    const problems = entries.flatMap(([table, entry]) => {
      const body = bodies.get(table);
      return body ? csvProblems(table, entry, body) : [`the object of ${table} cannot be read, or is over 256 MiB`];
    });
    const rows = entries.reduce((sum, [, { registros }]) => sum + registros, 0);
    return judged(problems.slice(0, 5), count(rows, 'row'));
  }),
};

export const sensitive: Check = {
  name: 'sensitive',
  promise: 'no sensitive column leaves the database, nor such a key inside JSON',
  run: onPlainRun(({ result, job, bodies }) => {
    const entries = Object.entries(result.result);
    const problems = entries.flatMap(([table, entry]) =>
      sensitiveProblems(rulesOf(job), table, entry, bodies.get(table) ?? null),
    );
    const dropped = entries.reduce((sum, [, { dropped_columns }]) => sum + dropped_columns.length, 0);
    return judged(problems.slice(0, 5), `${count(dropped, 'column')} dropped`);
  }),
};

export const copyInLake: Check = {
  name: 'copy',
  promise: 'the lake holds the result as well, the very document of stdout (recommended)',
  run: onPlainRun(async ({ result, job, lake }) => {
    const key = runKeys(job.database, job.run_id).result(job.attempt);
    const stored = await lake.lake.get(key);
    if (stored === null) return advice(`write it to ${key}: where stdout is lost, it counts`);
    const { output, problem } = readOutput({ stdout: stored.body, stdoutProblem: null });
    if (problem !== null) return failed(`${key}: ${problem}`);
    return isDeepStrictEqual(output, result) ? ok('equal') : failed(`${key} differs from stdout: the run would fail`);
  }),
};
