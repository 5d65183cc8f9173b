import { table } from '../extraction/report';
import { type Load, percentile } from './callers';
import type { FirstLoad } from './first-load';
import type { ResidentMemory } from './resident-memory';

/** Milliseconds of one route: the median of a few askings, and the longest. */
export interface RouteTime {
  route: string;
  median: number;
  most: number;
}

/** Everything that one run of the benchmark found. */
export interface AnalyticsFigures {
  rows: Readonly<Record<string, number>>;
  loads: readonly FirstLoad[];
  routes: readonly RouteTime[];
  load: Load;
  /** Of the gateway's own process, in bytes; null where there is no /proc. */
  memory: Readonly<Record<'atStart' | 'queried' | 'loaded', ResidentMemory>> | null;
  provenance: string;
}

/** The promises: seconds, factor, MiB. */
const PROMISED = { route: 2, firstLoad: 1.3, memory: 60 };
const MiB = 2 ** 20;

/** The figures as Markdown. */
export function analyticsReport({ rows, loads, routes, load, memory, provenance }: AnalyticsFigures): string {
  const counts = Object.entries(rows).map(([name, count]) => `${count.toLocaleString('en')} ${name}`);
  const slowest = Math.max(...routes.map(({ median }) => median)) / 1000;
  const ratio = Math.max(...loads.map(({ ours, own }) => ours / own.zstd));
  const verdict = (good: boolean) => (good ? 'met' : '**not met**');
  return [
    `${provenance}. ${counts.join(', ')}.`,
    table(
      ['first load', 'CSV MB', 's', 'DuckDB alone, zstd', 'ratio', 'DuckDB alone, snappy', 'ratio'],
      loads.map(({ route, csvBytes, ours, own }) => [
        ...[`\`${route}\``, (csvBytes / 1e6).toFixed(0), seconds(ours)],
        ...[seconds(own.zstd), (ours / own.zstd).toFixed(2), seconds(own.snappy), (ours / own.snappy).toFixed(2)],
      ]),
    ),
    table(
      ['route, its tables in the cache', 'median s', 'longest s'],
      routes.map(({ route, median, most }) => [`\`${route}\``, seconds(median), seconds(most)]),
    ),
    `${load.callers} callers at once, the answer in the cache: ${load.requests} requests in ${load.seconds.toFixed(1)} s ` +
      `(${(load.requests / load.seconds).toFixed(0)} per second), p50 ${percentile(load.times, 50).toFixed(1)} ms, ` +
      `p99 ${percentile(load.times, 99).toFixed(1)} ms.`,
    table(
      ['promise', 'bound', 'measured', ''],
      [
        ['slowest route', `${PROMISED.route} s`, `${slowest.toFixed(2)} s`, verdict(slowest <= PROMISED.route)],
        [
          'first load, twin included, over DuckDB alone (zstd)',
          `${PROMISED.firstLoad} ×`,
          `${ratio.toFixed(2)} ×`,
          verdict(ratio <= PROMISED.firstLoad),
        ],
        ...(memory === null
          ? []
          : Object.entries({
              "gateway's process at start": memory.atStart.now,
              'after every route was asked': memory.queried.now,
              [`after ${load.callers} callers`]: memory.loaded.now,
              'at its peak': memory.loaded.peak,
              'at the end, without the pages of files (RssAnon)': memory.loaded.own,
            }).map(([what, bytes]) => [
              `resident memory, ${what}`,
              `${PROMISED.memory} MiB`,
              `${(bytes / MiB).toFixed(0)} MiB`,
              verdict(bytes / MiB <= PROMISED.memory),
            ])),
      ],
    ),
  ].join('\n\n');
}

const seconds = (ms: number): string => (ms / 1000).toFixed(2);
