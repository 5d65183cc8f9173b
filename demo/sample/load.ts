import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where to load; the database exists already. */
export interface Connection {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

/** See `generate` for the meaning and the defaults. */
export interface LoadOptions {
  scale?: number;
  seed?: number;
}

/** Rows loaded, by table. */
export type Loaded = Record<string, number>;

/** What the comment of every sample table begins with. */
export const SAMPLE_MARK = 'Ingesta sample data';

/** How long one attempt to connect may take, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** Enough rows to make round trips cheap, few enough to stay far below any server's packet limit. */
const BATCH_ROWS = 1_000;

/** The DDL; the folder `schema` stands beside the file that runs, here as in a bundle. */
export const readSchema = (engine: 'mysql' | 'postgresql' | 'cassandra'): Promise<string> =>
  readFile(join(__dirname, 'schema', engine === 'cassandra' ? 'cassandra.cql' : `${engine}.sql`), 'utf8');

/** Groups rows for multi-row inserts; the last group may be smaller. */
export function* batches<Row>(rows: Iterable<Row>): Generator<Row[]> {
  let batch: Row[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Loading drops tables: someone's own `users` in a wrongly chosen database must survive that. */
export const refuseForeign = (database: string, tables: readonly string[]): void => {
  if (tables.length === 0) return;
  throw new Error(
    `database ${database} has tables of its own named ${tables.join(', ')}: the sample data would replace them; ` +
      'choose an empty database',
  );
};
