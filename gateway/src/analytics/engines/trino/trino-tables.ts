import { AnswerBudget } from '../answer-budget';
import { type RunTable, type RunTables, superseded } from '../distributed/run-tables';
import { SqlFailure } from '../distributed/sql-failure';
import type { ResultSet } from '../engine';
import { quoteName, quoteText } from '../with-tables';
import type { TrinoRunner, Warn } from './trino-runner';

/** Names of a family's tables are few. */
const LIMITS = { maxRows: 100_000, maxBytes: 16 * 1024 * 1024 };

/** What Hive's connector says, and what others do. */
const NO_SCHEMA = ['NOT_FOUND', 'SCHEMA_NOT_FOUND'];

/** Tables for queries in whatever catalog Trino itself writes to: Hive's metastore, files, Glue. */
export class TrinoTables implements RunTables {
  constructor(
    private readonly runner: TrinoRunner,
    private readonly schema: string,
    private readonly warn: Warn,
  ) {}

  async ensure(table: RunTable): Promise<void> {
    const create = createSql(table);
    try {
      await this.#create(create);
    } catch (error) {
      if (!(error instanceof SqlFailure && NO_SCHEMA.includes(error.code))) throw error;
      await this.#create(`CREATE SCHEMA IF NOT EXISTS ${quoteName(this.schema)}`);
      await this.#create(create);
    }
    await this.#dropSuperseded(table).catch((error: Error) => {
      this.warn('tables of former runs could not be dropped in Trino', { table: table.name, cause: error.message });
    });
  }

  async #dropSuperseded(table: RunTable): Promise<void> {
    const pattern = quoteText(`${table.family.replaceAll('_', '\\_')}\\_\\_%`);
    const { rows } = await this.#execute(`SHOW TABLES LIKE ${pattern} ESCAPE '\\'`);
    for (const name of superseded(
      table,
      rows.map(([name]) => String(name)),
    )) {
      await this.#execute(`DROP TABLE IF EXISTS ${quoteName(name)}`);
    }
  }

  /** Where two come at once, Trino tells the later one, whatever IF NOT EXISTS says. */
  async #create(sql: string): Promise<void> {
    try {
      await this.#execute(sql);
    } catch (error) {
      if (!(error instanceof SqlFailure && error.code.endsWith('ALREADY_EXISTS'))) throw error;
    }
  }

  #execute(sql: string): Promise<ResultSet> {
    return this.runner.run(sql, [], new AnswerBudget(LIMITS), new AbortController().signal);
  }
}

function createSql({ name, columns, location }: RunTable): string {
  // Hive takes no such names: those columns cannot be read, and the others can.
  const nameable = columns.filter((column) => !column.name.includes(','));
  const list = nameable.map((column) => `${quoteName(column.name)} ${hiveType(column.type)}`);
  const about = `format = 'PARQUET', external_location = ${quoteText(location)}`;
  return `CREATE TABLE IF NOT EXISTS ${quoteName(name)} (${list.join(', ')}) WITH (${about})`;
}

/** Hive has one type for both, and Parquet's instants are read as UTC. */
const hiveType = (type: string): string => (type.startsWith('timestamp') ? 'timestamp(6)' : type);
