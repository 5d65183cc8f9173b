import { type RunTable, type RunTables, superseded } from '../analytics/engines/distributed/run-tables';
import type { Glue } from './glue';
import { glueTable } from './glue-table';

/** What those that are made here say of themselves. */
const OURS = { ingesta_for: 'queries of the gateway' };

/** Tables for queries, in Glue. */
export class GlueRunTables implements RunTables {
  constructor(
    private readonly glue: Glue,
    private readonly warn: (message: string, fields: Record<string, string>) => void,
  ) {}

  async ensure(table: RunTable): Promise<void> {
    const made = await this.glue.create(glueTable({ ...table, parameters: OURS }));
    // Whoever made it has tidied up.
    if (!made) return;
    await this.#dropSuperseded(table).catch((error: Error) => {
      this.warn('tables of former runs could not be dropped in Glue', { table: table.name, cause: error.message });
    });
  }

  async #dropSuperseded(table: RunTable): Promise<void> {
    const there = await this.glue.tables(`${table.family}__`);
    const ours = there.filter(({ Parameters }) => Parameters?.ingesta_for === OURS.ingesta_for);
    const names = ours.map(({ Name }) => Name!);
    await this.glue.delete(superseded(table, names));
  }
}
