import { randomUUID } from 'node:crypto';
import { EXIT, type Job, type SourceDescription } from '@ingesta/kit';
import type { Bench } from '../bench';
import { failureProblems } from '../judge/exits';
import { leftoverProblems } from '../judge/leftovers';
import { readOutput } from '../judge/read-output';
import { listed } from '../test-lake';
import { judged, notChecked, type Verdict } from '../verdict';
import { type Check, wholeSizes } from './check';

/** RFC 6761 promises that no such host exists. */
const NO_HOST = 'conformance.invalid';

export const settingsMissing: Check = {
  name: 'exit 64',
  promise: 'a run without its required variables ends with 64 and names them',
  async run(bench) {
    const required = requiredOf(bench.description).map(({ name }) => name);
    if (required.length === 0) return notChecked('source.json requires no variable');
    return expectFailure(bench, (job) => without(job, bench.description), [EXIT.CONFIG], required);
  },
};

export const tableMissing: Check = {
  name: 'exit 66',
  promise: 'a table that does not exist ends the run with 66, which names it, before anything is written',
  async run(bench) {
    const table = 'conformance_no_such_table';
    return expectFailure(bench, (job) => ({ ...job, tables: [table] }), [EXIT.TABLE_NOT_FOUND], [table], true);
  },
};

export const datasetRefused: Check = {
  name: 'no query',
  promise: 'a dataset that is no query ends the run with 64, which names it, before anything is written',
  async run(bench) {
    const dataset = { name: 'conformance_no_query', text: 'DROP everything; -- this is no query' };
    return expectFailure(bench, (job) => ({ ...job, datasets: [dataset] }), [EXIT.CONFIG], [dataset.name], true);
  },
};

export const hostUnreachable: Check = {
  name: 'exit 69',
  promise: 'a host that cannot be reached ends the run with 69',
  async run(bench) {
    const hosts = bench.description.env.filter(({ name, host }) => host && bench.settings[name]);
    if (hosts.length === 0) return notChecked('source.json marks no variable as host');
    const env = Object.fromEntries(hosts.map(({ name }) => [name, elsewhere(bench.settings[name]!)]));
    return expectFailure(bench, (job) => ({ ...job, env: { ...job.env, ...env } }), [EXIT.UNAVAILABLE], []);
  },
};

export const userRefused: Check = {
  name: 'exit 77',
  promise: 'a wrong password ends the run with 77',
  async run(bench) {
    const secrets = bench.description.env.filter(({ name, secret, host }) => secret && !host && bench.settings[name]);
    if (secrets.length === 0) return notChecked('no variable is marked as secret and set');
    const env = Object.fromEntries(secrets.map(({ name }) => [name, `wrong-${randomUUID()}`]));
    const lake = await bench.lakes.fresh();
    const { seen } = await bench.run(bench.job(lake.env, { env }));
    if (seen.exitCode === EXIT.OK) return notChecked('the server took a wrong password');
    return judged(failureProblems(seen, [EXIT.AUTH]), `exit ${EXIT.AUTH}`);
  },
};

/** A run with a changed job that must end with one of the codes, its message naming `named`, the lake as it was. */
async function expectFailure(
  bench: Bench,
  change: (job: Job) => Job,
  codes: readonly number[],
  named: readonly string[],
  nothing = false,
): Promise<Verdict> {
  const lake = await bench.lakes.fresh();
  const { job, seen } = await bench.run(change(bench.job(lake.env)));
  const problems = failureProblems(seen, codes);
  const { output } = readOutput(seen);
  const message = output?.status === 'error' ? output.error.message : '';
  if (problems.length === 0) {
    problems.push(
      ...named.filter((name) => !message.includes(name)).map((name) => `the message does not name ${name}`),
    );
  }
  const whole = nothing ? new Map<string, number>() : await wholeSizes(bench);
  problems.push(...leftoverProblems(await listed(lake.lake), job.timestamp, whole));
  return judged(problems, `exit ${seen.exitCode}: ${message.slice(0, 100)}`);
}

const requiredOf = ({ env }: SourceDescription) =>
  env.filter((variable) => variable.required && variable.default === undefined);

/** The job without the required variables, and without those that make them needless. */
function without(job: Job, description: SourceDescription): Job {
  const gone = new Set(requiredOf(description).flatMap(({ name, unless }) => [name, unless]));
  return { ...job, env: Object.fromEntries(Object.entries(job.env).filter(([name]) => !gone.has(name))) };
}

/** The same URL with another host, or another host. */
function elsewhere(value: string): string {
  if (!value.includes('://')) return NO_HOST;
  return value.replace(/^([a-z][a-z0-9+.-]*:\/\/(?:[^/]*@)?)[^/?#]*/i, `$1${NO_HOST}`);
}
