import type { DuckDBConnection } from '@duckdb/node-api';
import type { SharedTable, Statement } from '../engine';
import { type SharedText, type TableText, type TextWithTables, withTables } from '../with-tables';
import { prepareSelect } from './sql-statement';

/**
 * What several statements of one connection read: each is computed once, when the first of them comes, into a temporary
 * table, which DuckDB moves to disk where memory is short.
 */
export class SharedTables {
  readonly #made = new Map<string, SharedText>();

  constructor(
    private readonly connection: DuckDBConnection,
    private readonly tables: readonly TableText[],
  ) {}

  /** The statement with all that it reads; `index` is for errors. Throws what DuckDB throws, and `SqlProblem`. */
  async textOf({ sql, shared = [] }: Statement, index: number): Promise<TextWithTables> {
    const there: SharedText[] = [];
    for (const table of shared) {
      const made = this.#made.get(table.name) ?? (await this.#make(table, there, index));
      this.#made.set(table.name, made);
      there.push(made);
    }
    return withTables(sql, this.tables, 'NOT MATERIALIZED', there);
  }

  async #make(
    { name, sql, parameters }: SharedTable,
    before: readonly SharedText[],
    index: number,
  ): Promise<SharedText> {
    const own = `shared_${this.#made.size}`;
    const text = withTables(sql, this.tables, 'NOT MATERIALIZED', before);
    const wrapping = { before: `CREATE TEMP TABLE ${own} AS SELECT * FROM `, after: '' };
    const prepared = await prepareSelect(this.connection, index, text, parameters, wrapping);
    try {
      await prepared.run();
    } finally {
      prepared.destroySync();
    }
    return { name, sql: `FROM ${own}` };
  }
}
