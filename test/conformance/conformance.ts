import { randomUUID } from 'node:crypto';
import { readDatasets, resolveEnv, type SourceDescription, sourceDescriptionSchema } from '@ingesta/kit';
import { Bench } from './bench';
import { checksOf } from './checks/index';
import { UsageError } from './options';
import type { Subject } from './subjects/subject';
import { openTestLakes } from './test-lake';
import { notChecked, type Verdict } from './verdict';

type Env = Readonly<Record<string, string | undefined>>;

/** One line of the table. */
export interface Line extends Verdict {
  readonly check: string;
  readonly promise: string;
}

/** Settings of every script, besides its own variables. */
const SHARED = ['SENSITIVE_COLUMNS', 'SENSITIVE_COLUMNS_ALLOW', 'KEY_TEMPLATE'];

/**
 * Makes every check, one after the other, `onLine` with each as it is done. A script that does not describe itself can
 * be given no settings: the rest is then not checked. Throws `UsageError` where its variables are not set.
 */
export async function conformance(
  subject: Subject,
  env: Env,
  only: readonly string[] = [],
  onLine: (line: Line) => void = () => undefined,
): Promise<Line[]> {
  const checks = checksOf(subject);
  const unknown = only.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0)
    throw new UsageError(
      `There is no check ${unknown.join(', ')}; there are: ${checks.map(({ name }) => name).join(', ')}`,
    );
  const description = await descriptionOf(subject);
  const datasets = env.DATASETS_DIR ? await readDatasets(env.DATASETS_DIR, subject.name) : [];
  const lakes = await openTestLakes(env, `canary-${randomUUID()}`);
  try {
    const settings = description && settingsFor(description, env);
    const bench = new Bench(subject, description ?? NOTHING, settings ?? {}, lakes, datasets);
    const lines: Line[] = [];
    for (const check of checks) {
      if (only.length > 0 && !only.includes(check.name)) continue;
      const blind = description === null && check.name !== 'describe';
      const verdict = blind ? notChecked('the script does not describe itself') : await check.run(bench);
      const line = { check: check.name, promise: check.promise, ...verdict };
      lines.push(line);
      onLine(line);
    }
    return lines;
  } finally {
    await lakes.remove();
  }
}

/** Stands in where a script does not describe itself: only the check which says so is made. */
const NOTHING: SourceDescription = { title: '', env_prefix: '_', env: [], command: [] };

async function descriptionOf(subject: Subject): Promise<SourceDescription | null> {
  const { stdout } = await subject.describe();
  try {
    return sourceDescriptionSchema.parse(JSON.parse(stdout.toString('utf8')));
  } catch {
    return null; // The first check says what is wrong with it.
  }
}

function settingsFor(description: SourceDescription, env: Env): Record<string, string> {
  const { values, problems } = resolveEnv(description, env);
  if (problems.length > 0) throw new UsageError(`The script needs settings to be checked with: ${problems.join('; ')}`);
  const shared = [...SHARED, `${description.env_prefix}TABLES`].flatMap((name) =>
    env[name] ? [[name, env[name]]] : [],
  );
  return { ...values, ...Object.fromEntries(shared) };
}

/** Whether all holds; `strict` takes what could not be checked for failed. */
export const holds = (lines: readonly Pick<Verdict, 'state'>[], strict: boolean): boolean =>
  lines.every(({ state }) => state === 'ok' || state === 'advice' || (state === 'not checked' && !strict));
