import { parseArgs } from 'node:util';
import type { AnalyticsOptions } from './analytics/measure-analytics';
import { ENGINE_NAMES, type EngineName } from './extraction/engines';
import type { ExtractionOptions } from './extraction/measure-extraction';

/** The measurements one can ask for; without any, all. */
const MEASUREMENTS = ['post', 'gateway', 'extraction', 'series', 'analytics', 'load', 'runs'] as const;
type Measurement = (typeof MEASUREMENTS)[number];

/** What `npm run bench -- …` asks for. */
export interface Choice {
  readonly post: boolean;
  readonly gateway: boolean;
  /** Undefined where neither the comparison nor the series is asked for. */
  readonly extraction: ExtractionOptions | undefined;
  readonly analytics: AnalyticsOptions | undefined;
  readonly load: boolean;
  /** How many runs; undefined where they are not asked for. */
  readonly runs: number | undefined;
}

export const USAGE = `usage: npm run bench -- [post] [gateway] [extraction] [series] [analytics] [load] [runs] [options]

  post          POST to reply, against a bare container
  gateway       memory of the idle gateway
  extraction    each engine's script against the database's own export and other tools
  series        the script at 10,000, 100,000 and 1,000,000 rows
  analytics     the insurance routes on 5,000,000 policies and 1,000,000 claims
  load          1,000 followers of a run and 500 GETs of /health a second
  runs          memory and open files of a gateway over 1,000 runs
Without any of these, all.

  --engine NAMES    ${ENGINE_NAMES.join(', ')}; several with commas (default: all)
  --rows N          rows of the table (default 1000000); policies of analytics (default 5000000)
  --runs N          so many runs (default 1000)
  --rounds N        counted rounds (default 5; 3 of the slower mongodb and cassandra)
  --no-peers        without other people's tools
  --full            series up to ten times the rows (cassandra then takes an hour)
  --write           put the tables into docs/benchmarks.md
`;

/** Reads the command line. Throws with what is wrong. */
export function choose(argv: readonly string[]): Choice {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      engine: { type: 'string' },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      runs: { type: 'string' },
      'no-peers': { type: 'boolean' },
      full: { type: 'boolean' },
      write: { type: 'boolean' },
    },
  });
  const unknown = positionals.find((name) => !(MEASUREMENTS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`There is no measurement ${unknown}: ${MEASUREMENTS.join(', ')}`);
  const asked = (name: Measurement) => positionals.length === 0 || positionals.includes(name);
  const command = ['npm run bench', ...(argv.length > 0 ? ['--', ...argv] : [])].join(' ');
  const write = values.write ?? false;
  const extraction: ExtractionOptions = {
    engines: enginesOf(values.engine),
    comparison: asked('extraction'),
    series: asked('series'),
    rows: numberOf('--rows', values.rows ?? '1000000'),
    rounds: values.rounds === undefined ? undefined : numberOf('--rounds', values.rounds),
    full: values.full ?? false,
    peers: !values['no-peers'],
    write,
    command,
  };
  return {
    post: asked('post'),
    gateway: asked('gateway'),
    extraction: extraction.comparison || extraction.series ? extraction : undefined,
    analytics: asked('analytics')
      ? { policies: numberOf('--rows', values.rows ?? '5000000'), write, command }
      : undefined,
    load: asked('load'),
    runs: asked('runs') ? numberOf('--runs', values.runs ?? '1000') : undefined,
  };
}

function enginesOf(text: string | undefined): readonly EngineName[] {
  const names = text?.split(',') ?? ENGINE_NAMES;
  const unknown = names.find((name) => !(ENGINE_NAMES as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--engine: there is no ${unknown}: ${ENGINE_NAMES.join(', ')}`);
  return names as readonly EngineName[];
}

function numberOf(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option} ${text}: a whole number from 1 on`);
  return Number(text);
}
