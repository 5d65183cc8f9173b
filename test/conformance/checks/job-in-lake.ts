import { EXIT, runKeys } from '@ingesta/kit';
import { exitOf, failureProblems } from '../judge/exits';
import { identityProblems, readOutput } from '../judge/read-output';
import { readWhole } from '../test-lake';
import { advice, failed, judged } from '../verdict';
import { type Check, count, onPlainRun } from './check';
import { tablesOf } from './requests';

export const jobInLake: Check = {
  name: 'job in lake',
  promise:
    'INGESTA_JOB=lake:<key> does the job that lies there, its secrets and the lake from the environment (the way of ECS)',
  run: onPlainRun(async (plain, bench) => {
    const lake = await bench.lakes.fresh();
    const whole = bench.job(lake.env);
    const secret = new Set(bench.description.env.flatMap(({ name, secret }) => (secret ? [name] : [])));
    const own = Object.fromEntries(Object.entries(bench.settings).filter(([name]) => secret.has(name)));
    const rest = Object.fromEntries(Object.entries(bench.settings).filter(([name]) => !secret.has(name)));
    const keys = runKeys(whole.database, whole.run_id);
    const key = keys.job(whole.attempt);
    await lake.lake.putIfAbsent(key, Buffer.from(JSON.stringify({ ...whole, env: rest })));
    const env = { ...own, ...lake.env, INGESTA_JOB: `lake:${key}` };
    const { seen } = await bench.run(whole, { by: 'lake', env });
    const { output, problem } = readOutput(seen);
    // Without it a script serves every other runner.
    if (seen.exitCode === EXIT.CONFIG) return advice('take jobs from the lake, too: on ECS there is no stdin');
    if (seen.exitCode !== 0 || problem !== null) return failed(`${exitOf(seen)}; ${problem ?? ''}`);
    if (output.status !== 'success') return failed(`the answer is "${output.status}", not "success"`);
    const problems = identityProblems(output, whole);
    if (tablesOf(output.result) !== tablesOf(plain.result.result)) problems.push(`it took ${tablesOf(output.result)}`);
    // Nobody reads the stdout of a task: the answer has to lie in the lake.
    const left = await readWhole(lake.lake, keys.result(whole.attempt));
    if (left?.toString().trimEnd() !== seen.stdout.toString().trimEnd())
      problems.push('the lake has not what it printed');
    return judged(problems, count(Object.keys(output.result).length, 'table'));
  }),
};

export const jobMissing: Check = {
  name: 'no job',
  promise: 'INGESTA_JOB=lake:<key> with nothing there ends with 64',
  async run(bench) {
    const lake = await bench.lakes.fresh();
    const job = bench.job(lake.env);
    const env = { ...job.env, INGESTA_JOB: `lake:${runKeys(job.database, job.run_id).job(job.attempt)}` };
    const { seen } = await bench.run(job, { by: 'lake', env });
    return judged(failureProblems(seen, [EXIT.CONFIG]), `exit ${seen.exitCode}`);
  },
};
