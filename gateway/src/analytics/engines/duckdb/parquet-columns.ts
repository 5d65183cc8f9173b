import type { DuckDBInstance } from '@duckdb/node-api';
import { quoteText } from '../with-tables';

/** The columns of a Parquet file, by name in its order: their SQL types, in lower case. */
export async function parquetColumns(instance: DuckDBInstance, path: string): Promise<Map<string, string>> {
  const connection = await instance.connect();
  try {
    const result = await connection.run(`FROM read_parquet(${quoteText(path)}) LIMIT 0`);
    const types = result.columnTypes();
    return new Map(result.columnNames().map((name, index) => [name, types[index]!.toString().toLowerCase()]));
  } finally {
    connection.closeSync();
  }
}
