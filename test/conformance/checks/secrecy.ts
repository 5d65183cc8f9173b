import { contains, leaksOf, searchable } from '../judge/leaks';
import { failed, judged, notChecked } from '../verdict';
import { type Check, count } from './check';

export const secrets: Check = {
  name: 'secrets',
  promise: 'no launch shows a secret of its job on stdout or stderr',
  async run({ runs, description }) {
    const looked = new Set<string>();
    const ordinary = new Set<string>();
    const problems: string[] = [];
    for (const run of runs) {
      const found = searchable(description, run.job);
      for (const secret of found.secrets) looked.add(secret);
      for (const secret of found.ordinary) ordinary.add(secret);
      problems.push(...leaksOf(found.secrets, run).map((place) => `on ${place}, exit ${run.seen.exitCode}`));
    }
    if (problems.length > 0) return failed(`a secret shows ${[...new Set(problems)].join('; ')}`);
    if (ordinary.size > 0) {
      return notChecked('a secret is an ordinary word here (a name, a user, under 4 letters): take another');
    }
    return judged([], `${count(looked.size, 'secret')} looked for in ${runs.length} launches`);
  },
};

export const inspected: Check = {
  name: 'inspect',
  promise: 'docker inspect shows no secret of the job, in the environment and elsewhere',
  async run(bench) {
    const { seen, job } = await bench.plain();
    if (seen.inspected === null) return notChecked('the engine told nothing of the container');
    const found = searchable(bench.description, job);
    if (contains(seen.inspected, found.secrets)) return failed('a secret stands in the image or its container');
    return judged([], `${count(found.secrets.length, 'secret')} looked for`);
  },
};
