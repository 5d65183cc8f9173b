import { untilAborted } from '../../../until-aborted';
import type { AnswerBudget } from '../answer-budget';
import { resultColumn, resultValue } from '../distributed/result-value';
import { SqlFailure } from '../distributed/sql-failure';
import { sqlLiteral } from '../distributed/sql-literal';
import type { SqlRunner } from '../distributed/sql-runner';
import type { ResultColumn, ResultSet, SqlValue } from '../engine';
import { quoteText } from '../with-tables';
import { type TrinoPage, TrinoProtocol, type TrinoSettings } from './trino-protocol';

/** Tells of what went wrong and concerns no caller any more. */
export type Warn = (message: string, fields: Record<string, string>) => void;

/** Runs statements on a Trino coordinator. */
export class TrinoRunner implements SqlRunner {
  readonly name = 'trino';
  readonly timestampType = 'timestamp(6)';
  readonly #protocol: TrinoProtocol;

  constructor(
    settings: TrinoSettings,
    private readonly warn: Warn,
  ) {
    this.#protocol = new TrinoProtocol(settings);
  }

  async run(
    sql: string,
    parameters: readonly SqlValue[],
    budget: AnswerBudget,
    signal: AbortSignal,
  ): Promise<ResultSet> {
    signal.throwIfAborted();
    let page = await this.#submit(bound(sql, parameters), signal);
    let columns: ResultColumn[] | undefined;
    const rows: SqlValue[][] = [];
    try {
      for (;;) {
        if (page.error) throw new SqlFailure('Trino', page.error.errorName, page.error.message);
        columns ??= page.columns?.map(({ name, typeSignature }) => resultColumn(name, typeSignature.rawType));
        for (const values of page.data ?? []) {
          const row = values.map((value, index) => resultValue(columns![index]!, value));
          budget.take(columns!, row);
          rows.push(row);
        }
        if (page.nextUri === undefined) return { columns: columns ?? [], rows };
        page = await this.#protocol.next(page.nextUri, signal);
      }
    } catch (error) {
      // Nobody waits for it: a Trino that is silent must not make a query late.
      if (page.nextUri !== undefined) void this.#kill(page.nextUri);
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Once sent, Trino has the statement whether its answer is waited for or not: it is killed when it comes. */
  async #submit(sql: string, signal: AbortSignal): Promise<TrinoPage> {
    const submitted = this.#protocol.submit(sql);
    try {
      return await untilAborted(submitted, signal);
    } catch (error) {
      if (signal.aborted)
        submitted.then(
          ({ nextUri }) => (nextUri === undefined ? undefined : this.#kill(nextUri)),
          () => undefined,
        );
      throw error;
    }
  }

  /** Trino forgets by itself those whose pages nobody asks for, after minutes. */
  async #kill(uri: string): Promise<void> {
    await this.#protocol.cancel(uri).catch((error: Error) => {
      this.warn('a query could not be killed in Trino', { cause: error.message });
    });
  }
}

/** Trino binds parameters in a statement of its own, as literals. */
const bound = (sql: string, parameters: readonly SqlValue[]): string =>
  parameters.length === 0 ? sql : `EXECUTE IMMEDIATE ${quoteText(sql)} USING ${parameters.map(sqlLiteral).join(', ')}`;
