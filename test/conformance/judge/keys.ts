import type { Job, Lake, ScriptResult } from '@ingesta/kit';

/** As the gateway takes them: safe characters, no part that is empty or starts with a dot, none of the records. */
const DATA_KEY = /^(?!_ingesta\/)[\w%=-][\w.%=-]*(\/[\w%=-][\w.%=-]*)*$/;

/** What is wrong with the keys and URLs of a result. */
export function keyProblems(result: ScriptResult, job: Job, lake: Pick<Lake, 'urlOf'>): string[] {
  const problems: string[] = [];
  const folder = job.env.KEY_TEMPLATE ? '' : `${job.database}/`;
  const ending = job.format === 'csv.gz' ? '.csv.gz' : '.csv';
  const taken = new Map<string, string>();
  for (const [table, { key, url }] of Object.entries(result.result)) {
    const other = taken.get(key);
    if (other !== undefined) problems.push(`${table} and ${other} share the key ${key}`);
    taken.set(key, table);
    if (!DATA_KEY.test(key)) problems.push(`the key ${key} holds what no key may`);
    if (!key.startsWith(folder)) problems.push(`${key} is not under ${folder}`);
    if (!key.includes(job.timestamp)) problems.push(`${key} lacks the timestamp ${job.timestamp}`);
    if (!job.env.KEY_TEMPLATE && !key.endsWith(ending)) problems.push(`${key} does not end in ${ending}`);
    if (url !== lake.urlOf(key)) problems.push(`the URL of ${table} is ${url}, not ${lake.urlOf(key)}`);
  }
  return problems;
}
