import { combinesSelects, namesIn, type SourceTable } from '@ingesta/kit';
import type { Connection } from 'mysql2';
import { prepare, query, unprepare } from './connect';
import { SYSTEM_SCHEMAS } from './list-tables';
import type { WireColumn } from './wire-columns';

/** Where the columns of a view or a statement come from, as in `SourceTable`. */
export type Lineage = Required<Pick<SourceTable, 'origins' | 'unfollowed'>>;

type Origin = { table: string; column: string };

interface ViewRow {
  table_schema: string;
  name: string;
  /** Empty where the user may not see it. */
  definition: string | null;
}

/** A view over a view over a view … */
const MAX_DEPTH = 32;

const VIEWS = `SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS name, VIEW_DEFINITION AS definition
  FROM information_schema.VIEWS WHERE TABLE_SCHEMA NOT IN ${SYSTEM_SCHEMAS}`;
const IS_COLUMN = `SELECT 1 AS found FROM information_schema.COLUMNS
  WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?`;

const keyOf = (schema: string, name: string): string => `${schema}\0${name}`;

/**
 * Looks through views, and tells where columns come from: a secret stays one under another name. Of a column of a derived
 * table, of a common table or of a UNION the server tells no origin.
 */
export class Lineages {
  #views: Promise<Map<string, ViewRow>> | undefined;

  /** `database` is where names without one belong. */
  constructor(
    readonly connection: Connection,
    readonly database: string,
  ) {}

  /** Of a statement with these columns. */
  async ofStatement(text: string, columns: readonly WireColumn[], depth = 0): Promise<Lineage> {
    const origins = new Map<string, Origin>();
    let isLost = false;
    for (const { name, schema, orgTable, orgName } of columns) {
      const origin =
        orgName === '' ? undefined : await this.#originOf(schema || this.database, orgTable, orgName, depth);
      if (origin) origins.set(name, origin);
      else isLost ||= orgName !== '';
    }
    if (origins.size === columns.length) return { origins, unfollowed: [] };
    const whole = await this.#withViews(text);
    return { origins, unfollowed: isLost || combinesSelects(whole) ? namesIn(whole) : [] };
  }

  /** Of a view: none where the user may not look behind it; then its own names count. */
  async ofView(schema: string, name: string, depth = 0): Promise<Lineage> {
    const none: Lineage = { origins: new Map(), unfollowed: [] };
    const definition = (await this.#allViews()).get(keyOf(schema, name))?.definition;
    if (!definition || depth > MAX_DEPTH) return none;
    try {
      const { columns } = (await prepare(this.connection, definition)) as unknown as { columns: readonly WireColumn[] };
      return await this.ofStatement(definition, columns, depth + 1);
    } catch (error) {
      // Refused by the server, not a connection that is lost.
      if (((error as { errno?: number }).errno ?? 0) > 0) return none;
      throw error;
    } finally {
      unprepare(this.connection, definition);
    }
  }

  async #originOf(schema: string, table: string, column: string, depth: number): Promise<Origin | undefined> {
    const own = { table: schema === this.database ? table : `${schema}.${table}`, column };
    if ((await this.#allViews()).has(keyOf(schema, table))) {
      const { origins, unfollowed } = await this.ofView(schema, table, depth);
      return origins.get(column) ?? (unfollowed.length > 0 ? undefined : own);
    }
    const found = await query(this.connection, IS_COLUMN, [schema, table, column]);
    return found.length > 0 ? own : undefined;
  }

  /** The text, and those of all views that it may read from. */
  async #withViews(text: string): Promise<string> {
    const views = await this.#allViews();
    const texts = new Set([text]);
    for (const one of texts) {
      const names = new Set(namesIn(one));
      for (const { name, definition } of views.values()) if (names.has(name) && definition) texts.add(definition);
    }
    return [...texts].join('\n');
  }

  #allViews(): Promise<Map<string, ViewRow>> {
    this.#views ??= query<ViewRow>(this.connection, VIEWS).then(
      (rows) => new Map(rows.map((row) => [keyOf(row.table_schema, row.name), row])),
    );
    return this.#views;
  }
}
