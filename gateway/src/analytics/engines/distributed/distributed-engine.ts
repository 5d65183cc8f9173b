import { untilAborted } from '../../../until-aborted';
import { AnswerBudget, type ResultLimits } from '../answer-budget';
import { boundColumns } from '../bound-columns';
import { type Engine, parametersWithShared, type QueryTable, type ResultSet, type Statement } from '../engine';
import { misfitsSql, throwIfUnfit } from '../misfits';
import { type TwinKeeper, twinIdentity } from '../twin';
import { quoteName, type TableText, withTables } from '../with-tables';
import { type RunTables, runTable } from './run-tables';
import { SqlFailure } from './sql-failure';
import type { SqlRunner } from './sql-runner';

export interface DistributedEngineParts {
  runner: SqlRunner;
  tables: RunTables;
  twins: TwinKeeper;
  /** URL of an object's folder in the lake as the server knows it, with a slash at its end. */
  folderUrl(key: string): Promise<string>;
  limits: ResultLimits;
}

/** Names that are remembered as registered; a catalog is asked again for older ones. */
const REMEMBERED = 10_000;

/** In front of statements that read no table: behind a WITH only a query can stand, so nothing else is ever run. */
const NO_TABLES: TableText[] = [{ name: '_', columns: [], from: '(VALUES 1)' }];

/**
 * An engine which is a server: it reads the twins in the lake through tables of its catalog, one for each committed
 * object. They never change, so that a query reads exactly the entries it was given (ADR 0015).
 */
export class DistributedEngine implements Engine {
  readonly name: Engine['name'];
  readonly #registered = new Map<string, Promise<string>>();

  constructor(private readonly parts: DistributedEngineParts) {
    this.name = parts.runner.name;
  }

  async query(
    tables: readonly QueryTable[],
    statements: readonly Statement[],
    signal: AbortSignal,
  ): Promise<ResultSet[]> {
    const columns = tables.map((table) => this.#columns(table));
    for (let attempt = 1; ; attempt += 1) {
      const texts = await this.#texts(tables, columns, signal);
      try {
        return await this.#runAll(texts, statements, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof SqlFailure)) throw error;
        if (error.kind === 'no-table' && attempt === 1) {
          // Another gateway found them superseded.
          for (const table of tables) this.#registered.delete(keyOf(table));
          continue;
        }
        if (error.kind === 'data' && attempt === 1 && (await this.#repair(tables, signal))) continue;
        if (error.kind === 'misfit') await this.#checkFit(tables, texts, signal);
        throw error.told();
      }
    }
  }

  /** The server knows of no connection that would have to be closed. */
  async close(): Promise<void> {}

  #columns(table: QueryTable): TableText['columns'] {
    const { timestampType } = this.parts.runner;
    return boundColumns(table).map((column) =>
      column.type === 'timestamp' ? { ...column, type: timestampType } : column,
    );
  }

  async #texts(
    tables: readonly QueryTable[],
    columns: readonly TableText['columns'][],
    signal: AbortSignal,
  ): Promise<TableText[]> {
    const names = Promise.all(tables.map((table) => this.#register(table)));
    const registered = await untilAborted(names, signal).catch((error) => {
      throw error instanceof SqlFailure ? error.told() : error;
    });
    return tables.map(({ name }, index) => ({
      name,
      columns: columns[index]!,
      from: quoteName(registered[index]!),
    }));
  }

  /** The catalog's table of the entry. Goes on when the caller leaves: the next one needs it as well. */
  #register(table: QueryTable): Promise<string> {
    const key = keyOf(table);
    const known = this.#registered.get(key);
    if (known !== undefined) return known;
    const name = this.#makeTable(table);
    this.#registered.set(key, name);
    name.catch(() => this.#registered.delete(key));
    for (const oldest of this.#registered.keys()) {
      if (this.#registered.size <= REMEMBERED) break;
      this.#registered.delete(oldest);
    }
    return name;
  }

  async #makeTable({ database, table, entry }: QueryTable): Promise<string> {
    const { twins, tables, folderUrl } = this.parts;
    const twin = await twins.makeTwin(database, table, entry, new AbortController().signal);
    const about = { database, table, runId: entry.run_id };
    const made = runTable(about, await folderUrl(twin.key), twin.columns);
    await tables.ensure(made);
    return made.name;
  }

  /** Whether a twin was found damaged, and replaced. */
  async #repair(tables: readonly QueryTable[], signal: AbortSignal): Promise<boolean> {
    let repaired = false;
    for (const { database, table, entry } of tables) {
      repaired = (await this.parts.twins.repairTwin(database, table, entry, signal)) || repaired;
    }
    return repaired;
  }

  /** All statements at once: each costs a server's round trips, whatever little it reads. The first failure ends all. */
  async #runAll(
    texts: readonly TableText[],
    statements: readonly Statement[],
    signal: AbortSignal,
  ): Promise<ResultSet[]> {
    const { runner, limits } = this.parts;
    const budget = new AnswerBudget(limits);
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const running = statements.map((statement) =>
      runner.run(selectText(statement, texts), parametersWithShared(statement), budget, either),
    );
    try {
      return await Promise.all(running);
    } catch (error) {
      stop.abort(error);
      // Each tells its server to stop.
      await Promise.allSettled(running);
      throw error;
    }
  }

  async #checkFit(tables: readonly QueryTable[], texts: readonly TableText[], signal: AbortSignal): Promise<void> {
    const { runner, limits } = this.parts;
    for (const [index, text] of texts.entries()) {
      const budget = new AnswerBudget(limits);
      const { rows } = await runner.run(misfitsSql(text), [], budget, signal).catch((error) => {
        throw error instanceof SqlFailure ? error.told() : error;
      });
      throwIfUnfit(tables[index]!, text.columns, rows[0]!);
    }
  }
}

const keyOf = ({ database, table, entry }: QueryTable): string =>
  JSON.stringify([database, table, entry.run_id, twinIdentity(entry)]);

const selectText = ({ sql, shared }: Statement, texts: readonly TableText[]): string =>
  withTables(sql.replace(/\s*;\s*$/, ''), texts.length > 0 ? texts : NO_TABLES, '', shared).sql;
