import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { DuckDBInstance } from '@duckdb/node-api';
import { openLake } from '@ingesta/kit';
import { type GatewayProcess, startGateway } from '../../services/gateway-process';
import { provenance } from '../extraction/provenance';
import { writeSection } from '../extraction/write-section';
import { ROOT } from '../root';
import { median, timed } from '../statistics';
import { type AnalyticsFigures, analyticsReport, type RouteTime } from './analytics-report';
import { concurrently, get, type Load } from './callers';
import { fillLake } from './fill-lake';
import { type FirstLoad, type FirstLoadParts, measureFirstLoad } from './first-load';
import { residentMemory } from './resident-memory';
import { type BenchTable, benchTables } from './tables';

/** What to measure. */
export interface AnalyticsOptions {
  /** Policies; claims are a fifth of them. */
  readonly policies: number;
  /** Put the tables into docs/benchmarks.md. */
  readonly write: boolean;
  /** As a person would type it. */
  readonly command: string;
}

/** Working memory and threads of both, the gateway's engine and DuckDB alone. */
const DUCKDB = { memory: 512, threads: 2 };
const ROUNDS = 3;
/** After so long the engine has left that checked the SQL when the gateway started: the first question starts another. */
const CHECKED_MS = 1500;
const CALLERS = 50;
const REQUESTS = 5000;
/** Routes whose first question brings the large tables in, and the tables they read. */
const LOADS = {
  '/postgresql/analytics/products': ['products', 'policies', 'coberturas'],
  '/cassandra/analytics/claims': ['reclamos'],
};

/** The routes of the insurance pack on large tables: first load, each route, many callers, the gateway's memory. */
export async function measureAnalytics(options: AnalyticsOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-bench-'));
  try {
    const figures = await measureIn(folder, options);
    const report = analyticsReport(figures);
    process.stdout.write(`\n## Analytics\n\n${report}\n`);
    if (options.write) await writeSection(join(ROOT, 'docs/benchmarks.md'), 'analytics', report);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureIn(folder: string, options: AnalyticsOptions): Promise<AnalyticsFigures> {
  const say = (line: string) => void process.stderr.write(`analytics: ${line}\n`);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${DUCKDB.memory}MiB`,
    threads: String(DUCKDB.threads),
  });
  const places = { lake: join(folder, 'lake'), work: join(folder, 'work') };
  for (const place of Object.values(places)) await mkdir(place);
  const env = { LAKE_URL: pathToFileURL(places.lake).href };
  const lake = await openLake(env);
  const tables = benchTables(options.policies);
  say(`writing ${options.policies} policies and what belongs to them`);
  await fillLake(lake, tables, instance, places.work);

  const settings = {
    ...env,
    ...{ RUNNER: 'process', PACKS: 'primac', ANALYTICS_CACHE_DIR: join(folder, 'cache'), QUERY_TIMEOUT: '600' },
    ...{ DUCKDB_MEMORY_MB: String(DUCKDB.memory), DUCKDB_THREADS: String(DUCKDB.threads) },
    ...imageMalloc(),
  };
  const withGateway = async <T>(more: Record<string, string>, work: (gateway: GatewayProcess) => Promise<T>) => {
    const gateway = await startGateway(ROOT, folder, { ...settings, ...more }, imageFlags());
    try {
      return await work(gateway);
    } finally {
      await gateway.stop();
    }
  };
  say('first loads');
  const loads: FirstLoad[] = [];
  const withNewGateway: FirstLoadParts['withNewGateway'] = async (use) => {
    const cache = await mkdtemp(join(folder, 'cache-'));
    const answer = await withGateway({ RESULT_CACHE_MB: '0', ANALYTICS_CACHE_DIR: cache }, async (gateway) => {
      await sleep(CHECKED_MS);
      return use(gateway);
    });
    await rm(cache, { recursive: true });
    return answer;
  };
  const parts = { lake, instance: instance as DuckDBInstance, work: places.work, rounds: ROUNDS, withNewGateway };
  for (const [route, names] of Object.entries(LOADS)) {
    const read = tables.filter(({ database, table }) => route.startsWith(`/${database}/`) && names.includes(table));
    loads.push(await measureFirstLoad(parts, route, read));
  }
  say('each route, without a cache of answers');
  const routes = await withGateway({ RESULT_CACHE_MB: '0' }, ({ url }) => timesOf(url));
  instance.closeSync();
  say(`${CALLERS} callers at once`);
  const { load, memory } = await withGateway({}, ({ url, pid }) => loadOf(url, pid));
  return { loads, routes, load, memory, rows: rowsOf(tables), provenance: provenance(version(), options.command) };
}

/** Every route of the pack, its tables in the cache on disk: milliseconds, the first asking not counted. */
async function timesOf(gateway: string): Promise<RouteTime[]> {
  const times: RouteTime[] = [];
  for (const route of await routesOf(gateway)) {
    await get(gateway + route);
    const ms: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) ms.push(await timed(() => get(gateway + route)));
    times.push({ route, median: median(ms), most: Math.max(...ms) });
  }
  return times;
}

/** The gateway's memory while each route is asked for the first time, and while many ask for one. */
async function loadOf(url: string, pid: number): Promise<{ load: Load; memory: AnalyticsFigures['memory'] }> {
  const atStart = residentMemory(pid);
  const [first, ...others] = await routesOf(url);
  for (const route of [first!, ...others]) await get(url + route);
  const queried = residentMemory(pid);
  // Once unmeasured: the compiler has its say.
  await concurrently(url + first!, CALLERS, REQUESTS / 5);
  const load = await concurrently(url + first!, CALLERS, REQUESTS);
  const loaded = residentMemory(pid);
  return { load, memory: atStart && queried && loaded ? { atStart, queried, loaded } : null };
}

async function routesOf(gateway: string): Promise<string[]> {
  const { paths } = (await (await fetch(`${gateway}/openapi.json`)).json()) as { paths: Record<string, unknown> };
  return Object.keys(paths).filter((path) => path.includes('/analytics/'));
}

/** What Node gets in the gateway's image. */
function imageFlags(): string[] {
  const entrypoint = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile())![1]!;
  return (JSON.parse(entrypoint) as string[]).filter((argument) => argument.startsWith('--'));
}

/** What the C library gets there. */
function imageMalloc(): Record<string, string> {
  const settings = [...dockerfile().matchAll(/\b(MALLOC_\w+)=(\d+)/g)];
  return Object.fromEntries(settings.map(([, name, value]) => [name!, value!]));
}

const dockerfile = (): string => readFileSync(join(ROOT, 'gateway/Dockerfile'), 'utf8');

const rowsOf = (tables: readonly BenchTable[]) =>
  Object.fromEntries(tables.map(({ database, table, rows }) => [`${database}.${table}`, rows]));

const version = (): string => `DuckDB with ${DUCKDB.threads} threads and ${DUCKDB.memory} MiB`;
