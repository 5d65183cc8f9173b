import { EXIT } from '@ingesta/kit';
import { failureProblems } from '../judge/exits';
import { listed, readWhole } from '../test-lake';
import { judged, notChecked } from '../verdict';
import { type Check, count, onPlainRun } from './check';

/** What stands where the script wants to write. */
const FOREIGN = Buffer.from('somebody else was here first\n');

export const lakeRefuses: Check = {
  name: 'exit 73',
  promise: 'a lake that can take nothing ends the run with 73 (75: try again later)',
  async run(bench) {
    const { seen } = await bench.run(bench.job(bench.lakes.refusing()));
    return judged(failureProblems(seen, [EXIT.LAKE, EXIT.TEMPORARY]), `exit ${seen.exitCode}`);
  },
};

export const neverOverwrites: Check = {
  name: 'overwrite',
  promise: 'the same job twice fails the second time, and every object stays as it was',
  run: onPlainRun(async (_, bench) => {
    const first = await bench.export({});
    if (first.result === null) return notChecked('the run gave no result');
    const { seen } = await bench.run(first.job);
    const problems = failureProblems(seen, [EXIT.LAKE]);
    for (const [table, { key }] of Object.entries(first.result.result)) {
      const before = first.bodies.get(table);
      const after = await readWhole(first.lake.lake, key);
      if (before && after?.equals(before) !== true) problems.push(`${key} is another one now`);
    }
    return judged(problems, `${count(first.bodies.size, 'object')} untouched, exit ${seen.exitCode}`);
  }),
};

export const oneTableFails: Check = {
  name: 'one fails',
  promise: 'where one table cannot be written, the run fails, and speaks nowhere of success',
  run: onPlainRun(async ({ result, job }, bench) => {
    const names = Object.keys(result.result);
    const last = names.at(-1);
    if (last === undefined || names.length === 1) return notChecked('it needs two tables, of which one fails');
    const lake = await bench.lakes.fresh();
    const key = result.result[last]!.key;
    await lake.lake.putIfAbsent(key, FOREIGN);
    const { seen } = await bench.run(bench.job(lake.env, { timestamp: job.timestamp }));
    const problems = failureProblems(seen, [EXIT.LAKE]);
    const stands = await readWhole(lake.lake, key);
    if (stands?.equals(FOREIGN) !== true) problems.push(`${key} was there first, and is another one now`);
    const records = (await listed(lake.lake)).filter((left) => left.key.startsWith('_ingesta/'));
    problems.push(...records.map((left) => `it left ${left.key}, which speaks of success`));
    return judged(problems, `${last} was taken, exit ${seen.exitCode}`);
  }),
};
