import { join } from 'node:path';
import { generate } from '../sample/insurance/generate';
import { deliver } from '../sample/ventas/generate';
import { type Tables, writeCsvFiles } from '../sample/write-csv-files';

/** Where in the lake the deliveries lie. */
const FOLDER = 'entregas';

/** What comes as files here because no embedded server has it, by the source that it becomes. */
const deliveries = (): Record<string, Tables> => {
  const { mysql, cassandra } = generate();
  return { mysql: { ...mysql }, cassandra: { ...cassandra }, ventas: { ...deliver() } };
};

/** The sources that `deliverFiles` makes. */
export const DELIVERED = Object.keys(deliveries());

const prefixOf = (source: string) => `SAMPLE_${source.toUpperCase()}_`;

/**
 * Writes the sample's other databases as CSV files into the lake, and gives the settings that make each a source: a named
 * connection of the source `files`, which takes the place of the source of the same name.
 */
export async function deliverFiles(lake: string): Promise<{ settings: Record<string, string>; rows: number }> {
  const settings: Record<string, string> = {
    SOURCES: DELIVERED.map((source) => `${source}=files:${prefixOf(source)}`).join(','),
  };
  let rows = 0;
  for (const [source, tables] of Object.entries(deliveries())) {
    const written = await writeCsvFiles(join(lake, FOLDER, source), tables);
    rows += Object.values(written).reduce((sum, count) => sum + count, 0);
    settings[`${prefixOf(source)}FILES_LAKE_PREFIX`] = `${FOLDER}/${source}`;
  }
  return { settings, rows };
}
