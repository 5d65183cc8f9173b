import {
  combinesSelects,
  namesIn,
  type Origin,
  type SourceContext,
  type SourceTable,
  takesUnnamed,
} from '@ingesta/kit';
import type { Connection } from 'mysql2';
import { prepare, query, unprepare } from './connect';
import { SYSTEM_SCHEMAS } from './list-tables';
import type { WireColumn } from './wire-columns';

/** Where the columns of a view or a statement come from, as in `SourceTable`. */
export type Lineage = Required<Pick<SourceTable, 'origins' | 'unfollowed'>>;

interface ViewRow {
  table_schema: string;
  name: string;
  /** Empty where the user may not see it. */
  definition: string | null;
}

const VIEWS = `SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS name, VIEW_DEFINITION AS definition
  FROM information_schema.VIEWS WHERE TABLE_SCHEMA NOT IN ${SYSTEM_SCHEMAS}`;
const COLUMNS = `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`;

const NAMED = `SELECT DISTINCT COLUMN_NAME AS name FROM information_schema.COLUMNS
  WHERE TABLE_SCHEMA NOT IN ${SYSTEM_SCHEMAS} AND TABLE_NAME IN (?) AND TABLE_SCHEMA IN (?)`;

/** Whether a derived or common table goes by this name: of its columns the server tells what it would of a table's. */
function namesDerived(text: string, name: string): boolean {
  const quoted = `[\`"]?${name.replace(/\W/g, '\\$&')}[\`"]?`;
  const derived = `\\)\\s*(?:as\\s*)?${quoted}(?!\\w)`;
  const common = `(?<!\\w)${quoted}\\s*(?:\\([^()]*\\)\\s*)?as\\s*\\(`;
  return new RegExp(`${derived}|${common}`, 'i').test(text);
}

const keyOf = (schema: string, name: string): string => `${schema}\0${name}`;

/**
 * Looks through views, and tells where columns come from: a secret stays one under another name. Of a column of a derived
 * table, of a common table or of a UNION the server tells no origin.
 */
export class Lineages {
  #views: Promise<Map<string, ViewRow>> | undefined;
  /** Each is asked about once, however many columns it has, and however many views lie over it. */
  readonly #lineages = new Map<string, Promise<Lineage>>();
  readonly #columns = new Map<string, Promise<Set<string>>>();

  /** `database` is where names without one belong. */
  constructor(
    readonly connection: Connection,
    readonly database: string,
    readonly warn: SourceContext['warn'],
  ) {}

  /** Of a statement with these columns. */
  async ofStatement(text: string, columns: readonly WireColumn[]): Promise<Lineage> {
    const origins = new Map<string, Origin>();
    let isLost = false;
    for (const { name, schema, orgTable, orgName } of columns) {
      const isPlain = orgName !== '' && !namesDerived(text, orgTable);
      const origin = isPlain ? await this.#originOf(schema || this.database, orgTable, orgName) : undefined;
      if (origin) origins.set(name, origin);
      else isLost ||= orgName !== '';
    }
    if (origins.size === columns.length) return { origins, unfollowed: [] };
    const whole = await this.#withViews(text);
    return { origins, unfollowed: isLost || combinesSelects(whole) ? await this.#namesOf(whole) : [] };
  }

  /**
   * Of a view: none where the user may not see its text; then its own names count. The server refuses to prepare what
   * comes round to itself.
   */
  ofView(schema: string, name: string): Promise<Lineage> {
    return once(this.#lineages, keyOf(schema, name), () => this.#behindView(schema, name));
  }

  async #behindView(schema: string, name: string): Promise<Lineage> {
    const definition = (await this.#allViews()).get(keyOf(schema, name))?.definition;
    if (!definition) {
      const what = `View ${schema}.${name} cannot be looked behind: a sensitive column under another name would leave`;
      this.warn(`${what}. GRANT SHOW VIEW ON ${schema}.* to the user`);
      return { origins: new Map(), unfollowed: [] };
    }
    try {
      const { columns } = (await prepare(this.connection, definition)) as unknown as { columns: readonly WireColumn[] };
      return await this.ofStatement(definition, columns);
    } catch (error) {
      // Refused by the server, not a connection that is lost.
      if (((error as { errno?: number }).errno ?? 0) === 0) throw error;
      return { origins: new Map(), unfollowed: await this.#namesOf(await this.#withViews(definition)) };
    } finally {
      unprepare(this.connection, definition);
    }
  }

  async #originOf(schema: string, table: string, column: string): Promise<Origin | undefined> {
    const own = { table: schema === this.database ? table : `${schema}.${table}`, path: [column] };
    if ((await this.#allViews()).has(keyOf(schema, table))) {
      const { origins, unfollowed } = await this.ofView(schema, table);
      return origins.get(column) ?? (unfollowed.length > 0 ? undefined : own);
    }
    const columns = await once(this.#columns, keyOf(schema, table), async () => {
      const rows = await query<{ name: string }>(this.connection, COLUMNS, [schema, table]);
      return new Set(rows.map(({ name }) => name.toLowerCase()));
    });
    return columns.has(column.toLowerCase()) ? own : undefined;
  }

  /** Those in the text, and of all columns that it may take without naming them. */
  async #namesOf(text: string): Promise<string[]> {
    const names = namesIn(text);
    if (!takesUnnamed(text)) return names;
    const unnamed = await query<{ name: string }>(this.connection, NAMED, [names, [this.database, ...names]]);
    return [...names, ...unnamed.map(({ name }) => name)];
  }

  /** The text, and those of all views that it may read from. */
  async #withViews(text: string): Promise<string> {
    const views = await this.#allViews();
    const texts = new Set([text]);
    for (const one of texts) {
      // With lower_case_table_names a text may spell them otherwise.
      const names = new Set(namesIn(one).map((name) => name.toLowerCase()));
      for (const { table_schema, name, definition } of views.values()) {
        if (!names.has(name.toLowerCase())) continue;
        if (definition) texts.add(definition);
        // Asked for its warning.
        else await this.ofView(table_schema, name);
      }
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

/** The work's outcome, under its key; it is done when first asked for. */
function once<T>(done: Map<string, Promise<T>>, key: string, work: () => Promise<T>): Promise<T> {
  let outcome = done.get(key);
  if (outcome === undefined) {
    outcome = work();
    done.set(key, outcome);
  }
  return outcome;
}
