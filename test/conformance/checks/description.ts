import { sourceDescriptionSchema } from '@ingesta/kit';
import { failed, judged } from '../verdict';
import { type Check, count } from './check';

export const describes: Check = {
  name: 'describe',
  promise: '--describe prints source.json and exits with 0, without settings, stdin and network',
  async run({ subject }) {
    const { exitCode, stdout, timedOut } = await subject.describe();
    if (timedOut || exitCode !== 0) return failed(`exit ${exitCode}${timedOut ? ', stopped for taking too long' : ''}`);
    const parsed = sourceDescriptionSchema.safeParse(parseJson(stdout));
    const problems = parsed.success
      ? []
      : parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(whole)'}: ${message}`);
    return judged(problems, `${parsed.data?.title}, ${count(parsed.data?.env.length ?? 0, 'variable')}`);
  },
};

export const labelled: Check = {
  name: 'label',
  promise: 'the image carries ingesta.source=<name>',
  run: async ({ subject }) => judged((await subject.labelProblems()) ?? [], `ingesta.source=${subject.name}`),
};

function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}
