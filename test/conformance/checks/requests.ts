import { gunzipSync } from 'node:zlib';
import { csvProblems } from '../judge/csv';
import { exitOf } from '../judge/exits';
import { keyProblems } from '../judge/keys';
import { identityProblems, readOutput } from '../judge/read-output';
import { rulesOf, sensitiveProblems } from '../judge/sensitive';
import { listed } from '../test-lake';
import { failed, judged, notChecked } from '../verdict';
import { type Check, count, onPlainRun } from './check';

export const environmentAlone: Check = {
  name: 'env only',
  promise: 'without INGESTA_JOB the environment is enough: docker run -e …',
  run: onPlainRun(async (plain, bench) => {
    const { result, seen, job, bodies } = await bench.export({}, { by: 'environment' });
    if (result === null) return failed(`${exitOf(seen)}; ${readOutput(seen).problem ?? ''}`);
    const problems = result.database === job.database ? [] : [`database is ${result.database}`];
    if (tablesOf(result.result) !== tablesOf(plain.result.result)) {
      problems.push(`it took ${tablesOf(result.result)}, with a job ${tablesOf(plain.result.result)}`);
    }
    for (const [table, { bytes, key }] of Object.entries(result.result)) {
      if (bodies.get(table)?.length !== bytes) problems.push(`${key} is not in the lake as told`);
    }
    return judged(problems, count(Object.keys(result.result).length, 'table'));
  }),
};

export const dryRun: Check = {
  name: 'dry run',
  promise: 'dry_run answers the plan of all tables and writes nothing',
  run: onPlainRun(async (plain, bench) => {
    const lake = await bench.lakes.fresh();
    const { job, seen } = await bench.run(bench.job(lake.env, { dry_run: true }));
    const { output, problem } = readOutput(seen);
    if (seen.exitCode !== 0 || problem !== null) return failed(`${exitOf(seen)}; ${problem ?? ''}`);
    if (output.status !== 'planned') return failed(`the answer is "${output.status}", not "planned"`);
    const problems = identityProblems(output, job);
    const left = await listed(lake.lake);
    if (left.length > 0) problems.push(`it wrote ${left.map(({ key }) => key).join(', ')}`);
    if (tablesOf(output.plan) !== tablesOf(plain.result.result)) problems.push(`it plans ${tablesOf(output.plan)}`);
    for (const [table, { columns }] of Object.entries(output.plan)) {
      const real = plain.result.result[table]?.columns.map(({ name }) => name).join(',');
      if (real !== undefined && real !== columns.map(({ name }) => name).join(',')) {
        problems.push(`the columns of ${table} are planned as ${columns.map(({ name }) => name).join(',')}`);
      }
    }
    return judged(problems, count(Object.keys(output.plan).length, 'table'));
  }),
};

export const compressed: Check = {
  name: 'csv.gz',
  promise: 'format csv.gz gives the same CSV, compressed, under keys that say so',
  run: onPlainRun(async (_, bench) => {
    const { result, seen, job, bodies, lake } = await bench.export({ format: 'csv.gz' });
    if (result === null) return failed(`${exitOf(seen)}; ${readOutput(seen).problem ?? ''}`);
    const problems = keyProblems(result, job, lake.lake);
    for (const [table, entry] of Object.entries(result.result)) {
      const body = bodies.get(table);
      if (body?.length !== entry.bytes) problems.push(`${entry.key} is not in the lake as told`);
      else problems.push(...gzipProblems(table, entry, body));
    }
    return judged(problems.slice(0, 5), count(Object.keys(result.result).length, 'object'));
  }),
};

export const tables: Check = {
  name: 'tables',
  promise: 'tables in the job are taken, these and no others',
  run: onPlainRun(async ({ result }, bench) => {
    const [first, ...others] = Object.keys(result.result);
    if (first === undefined || others.length === 0) return notChecked('it needs two tables to choose from');
    const { result: some, seen } = await bench.export({ tables: [first] });
    if (some === null) return failed(exitOf(seen));
    const got = tablesOf(some.result);
    return judged(got === first ? [] : [`asked for ${first}, it took ${got}`], `${first} of ${others.length + 1}`);
  }),
};

export const tablesSetting: Check = {
  name: 'TABLES',
  promise: '<env_prefix>TABLES selects the tables of a run that names none',
  run: onPlainRun(async ({ result }, bench) => {
    const [first, ...others] = Object.keys(result.result);
    if (first === undefined || others.length === 0) return notChecked('it needs two tables to choose from');
    if (/[,*?!]/.test(first)) return notChecked(`${first} cannot be spelled in a list`);
    const setting = `${bench.description.env_prefix}TABLES`;
    const { result: some, seen } = await bench.export({ env: { [setting]: first } });
    if (some === null) return failed(exitOf(seen));
    const got = tablesOf(some.result);
    return judged(got === first ? [] : [`${setting}=${first}, it took ${got}`], `${setting}=${first}`);
  }),
};

export const datasets: Check = {
  name: 'datasets',
  promise: 'each query below DATASETS_DIR is exported beside the tables, without what is sensitive',
  run: onPlainRun(async (plain, bench) => {
    const names = bench.datasets.map(({ name }) => name);
    if (names.length === 0) return notChecked(`DATASETS_DIR names no folder with ${bench.subject.name}/<name>.sql`);
    const { result, seen, job, bodies } = await bench.export({ datasets: [...bench.datasets] });
    if (result === null) return failed(exitOf(seen));
    const wanted = tablesOf({ ...plain.result.result, ...Object.fromEntries(names.map((name) => [name, null])) });
    const got = tablesOf(result.result);
    const problems = got === wanted ? [] : [`it took ${got}, not ${wanted}`];
    for (const name of names) {
      const [entry, body] = [result.result[name], bodies.get(name)];
      if (entry === undefined) continue;
      problems.push(...sensitiveProblems(rulesOf(job), name, entry, body ?? null));
      problems.push(...(body ? csvProblems(name, entry, body) : [`${entry.key} is not in the lake as told`]));
    }
    return judged(problems.slice(0, 5), count(names.length, 'query').replace(/ys$/, 'ies'));
  }),
};

export const sensitiveSetting: Check = {
  name: 'SENSITIVE_COLUMNS',
  promise: 'SENSITIVE_COLUMNS leaves out what it names, and the result says so',
  run: onPlainRun(async ({ result, job }, bench) => {
    const wide = Object.entries(result.result).find(([, { columns }]) => columns.length > 1);
    if (wide === undefined) return notChecked('it needs a table with two columns');
    const [table, { columns }] = wide;
    const { name } = columns.at(-1)!;
    if (/[,*?.\s]/.test(`${table}${name}`)) return notChecked(`${table}.${name} cannot be spelled as a pattern`);
    const setting = [job.env.SENSITIVE_COLUMNS, `${table}.${name}`].filter(Boolean).join(',');
    const { result: some, seen } = await bench.export({ env: { SENSITIVE_COLUMNS: setting } });
    if (some === null) return failed(exitOf(seen));
    const problems: string[] = [];
    const got = some.result[table];
    if (got?.columns.some((column) => column.name === name)) problems.push(`${table} still has ${name}`);
    if (!got?.dropped_columns.some((column) => column.name === name)) problems.push(`dropped_columns lacks ${name}`);
    return judged(problems, `without ${table}.${name}`);
  }),
};

export const tablesOf = (record: Readonly<Record<string, unknown>>): string => Object.keys(record).sort().join(', ');

function gzipProblems(table: string, entry: Parameters<typeof csvProblems>[1], body: Buffer): string[] {
  try {
    return csvProblems(table, entry, gunzipSync(body));
  } catch (error) {
    return [`the object of ${table} is no gzip: ${(error as Error).message}`];
  }
}
