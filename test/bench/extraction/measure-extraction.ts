import { join } from 'node:path';
import { ROOT } from '../root';
import { withServices } from '../with-services';
import { judge } from './bounds';
import type { LoadedTable } from './dataset/loaded-table';
import { ENGINES, type Engine, type EngineName } from './engines';
import { provenance } from './provenance';
import { comparisonTable, seriesTable, verdictTable } from './report';
import { runRounds } from './rounds';
import { measureSeries, seriesSizes } from './series';
import { writeSection } from './write-section';

/** What to measure. */
export interface ExtractionOptions {
  readonly engines: readonly EngineName[];
  readonly comparison: boolean;
  readonly series: boolean;
  readonly rows: number;
  /** Counted rounds; undefined: as many as the engine has by default. */
  readonly rounds: number | undefined;
  /** The series up to ten times as many rows. */
  readonly full: boolean;
  /** Also other people's tools, which have to be installed. */
  readonly peers: boolean;
  /** Put the tables into docs/benchmarks.md. */
  readonly write: boolean;
  /** As a person would type it. */
  readonly command: string;
}

const DOCUMENT = join(ROOT, 'docs/benchmarks.md');

/** Measures one engine after the other, so that no idle server is in the way. Gives the engines that could not be. */
export async function measureExtraction(options: ExtractionOptions): Promise<string[]> {
  const failed: string[] = [];
  for (const name of options.engines) {
    try {
      await measureEngine(name, options);
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
}

function measureEngine(name: EngineName, options: ExtractionOptions): Promise<void> {
  return withServices([name], ['docker', 's3'], async (handles) => {
    const { how } = handles.find((service) => service.name === name)!;
    await measureOn(name, how, options);
  });
}

/** On the server that the environment tells of; `how` says which one that is. */
async function measureOn(name: EngineName, how: string, options: ExtractionOptions): Promise<void> {
  const engine = ENGINES[name];
  const say = (line: string) => void process.stderr.write(`${engine.title}: ${line}\n`);
  const tell = async (section: string, content: string) => {
    process.stdout.write(`\n## ${engine.title}, ${section}\n\n${content}\n`);
    if (options.write) await writeSection(DOCUMENT, `${name}-${section}`, content);
  };
  const about = provenance(how, options.command);
  let table: LoadedTable | undefined;
  try {
    if (options.comparison) {
      say(`loading ${options.rows} rows`);
      table = await engine.load(options.rows);
      await tell('comparison', await compare(name, engine, table, about, options, say));
    }
    if (options.series) {
      const largest = options.full ? options.rows * 10 : options.rows;
      const points = await measureSeries(engine, seriesSizes(largest), table, say);
      await tell('series', `${seriesTable(points)}\n\n${about}`);
    }
  } finally {
    await table?.drop();
  }
}

async function compare(
  name: EngineName,
  engine: Engine,
  table: LoadedTable,
  about: string,
  { rounds, peers }: ExtractionOptions,
  say: (line: string) => void,
): Promise<string> {
  const contenders = [...engine.contenders(), ...(peers ? engine.peers() : [])];
  const figures = await runRounds(contenders, table, rounds ?? engine.rounds, say);
  const size = `${table.rows.toLocaleString('en')} rows`;
  return [`${size}. ${about}`, comparisonTable(figures), verdictTable(judge(name, figures))].join('\n\n');
}
