import type { ManifestEntry } from '@ingesta/kit';
import type { DeclaredTable, Engine, QueryTable, ResultColumn, ResultSet, SqlChecker, Statement } from '../engine';
import type { Twin, TwinKeeper } from '../twin';
import type { DuckDbChild } from './duckdb-child';

/** The embedded engine: everything happens in the child process, which reads the lake itself. */
export class DuckDbEngine implements Engine, SqlChecker, TwinKeeper {
  readonly name = 'duckdb';

  constructor(private readonly child: DuckDbChild) {}

  async query(
    tables: readonly QueryTable[],
    statements: readonly Statement[],
    signal: AbortSignal,
  ): Promise<ResultSet[]> {
    return (await this.child.request({ do: 'query', tables, statements }, signal)) as ResultSet[];
  }

  async describe(tables: readonly DeclaredTable[], statements: readonly Statement[]): Promise<ResultColumn[][]> {
    const never = new AbortController().signal;
    return (await this.child.request({ do: 'describe', tables, statements }, never)) as ResultColumn[][];
  }

  async makeTwin(database: string, table: string, entry: ManifestEntry, signal: AbortSignal): Promise<Twin> {
    return (await this.child.request({ do: 'twin', database, table, entry }, signal)) as Twin;
  }

  async repairTwin(database: string, table: string, entry: ManifestEntry, signal: AbortSignal): Promise<boolean> {
    return (await this.child.request({ do: 'repair', database, table, entry }, signal)) as boolean;
  }

  async close(): Promise<void> {
    await this.child.close();
  }
}
