import { setTimeout as sleep } from 'node:timers/promises';
import type { AthenaClient, ColumnInfo, GetQueryResultsCommandOutput, Row } from '@aws-sdk/client-athena';
import { awsError } from '../../../aws-error';
import type { AwsClientSettings } from '../../../aws-settings';
import { untilAborted } from '../../../until-aborted';
import type { AnswerBudget } from '../answer-budget';
import { resultColumn, resultValue } from '../distributed/result-value';
import { SqlFailure } from '../distributed/sql-failure';
import { withLiterals } from '../distributed/sql-literal';
import type { SqlRunner } from '../distributed/sql-runner';
import type { ResultColumn, ResultSet, SqlValue } from '../engine';
import { athenaFailure } from './athena-failure';

export interface AthenaSettings {
  /** Glue's database with the tables. */
  database: string;
  workgroup: string;
  /** `s3://bucket/folder/` for the results; null where the workgroup says it. */
  output: string | null;
  aws: AwsClientSettings;
}

/** Between looks at a query: short at first, as most are done within a second. */
const FIRST_LOOK_MS = 150;
const LAST_LOOK_MS = 2_000;
const RIGHTS = 'athena:StartQueryExecution, GetQueryExecution, GetQueryResults, StopQueryExecution on the workgroup';

/** Runs statements with Amazon Athena. */
export class AthenaRunner implements SqlRunner {
  readonly name = 'athena';
  /** Athena reads the timestamps of Parquet files in milliseconds. */
  readonly timestampType = 'timestamp';
  #client: AthenaClient | undefined;

  constructor(
    private readonly settings: AthenaSettings,
    private readonly warn: (message: string, fields: Record<string, string>) => void,
  ) {}

  async run(
    sql: string,
    parameters: readonly SqlValue[],
    budget: AnswerBudget,
    signal: AbortSignal,
  ): Promise<ResultSet> {
    signal.throwIfAborted();
    // Not as ExecutionParameters: Athena takes those in WHERE only, and they are the same literals (ADR 0015).
    const id = await this.#start(withLiterals(sql, parameters), signal);
    try {
      await this.#finished(id, signal);
      return await this.#answer(id, budget, signal);
    } catch (error) {
      // What Athena tells of a statement, it tells at its end.
      // Nobody waits for the stop: an Athena that is silent must not make a query late.
      if (!(error instanceof SqlFailure)) void this.#stop(id);
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Once sent, Athena has the statement whether its answer is waited for or not: it is stopped when that comes. */
  async #start(sql: string, signal: AbortSignal): Promise<string> {
    const { database, workgroup, output } = this.settings;
    const started = this.#call(async ({ StartQueryExecutionCommand }, client) => {
      const command = new StartQueryExecutionCommand({
        QueryString: sql,
        WorkGroup: workgroup,
        QueryExecutionContext: { Database: database },
        ...(output !== null && { ResultConfiguration: { OutputLocation: output } }),
      });
      return (await client.send(command)).QueryExecutionId!;
    });
    try {
      return await untilAborted(started, signal);
    } catch (error) {
      if (signal.aborted)
        started.then(
          (id) => this.#stop(id),
          () => undefined,
        );
      throw error;
    }
  }

  async #finished(id: string, signal: AbortSignal): Promise<void> {
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, LAST_LOOK_MS)) {
      const { QueryExecution } = await this.#call(({ GetQueryExecutionCommand }, client) =>
        client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: signal }),
      );
      const { State, StateChangeReason = '' } = QueryExecution?.Status ?? {};
      if (State === 'SUCCEEDED') return;
      if (State === 'FAILED') throw athenaFailure(StateChangeReason);
      if (State === 'CANCELLED') throw new SqlFailure('Athena', 'CANCELLED', 'somebody else stopped the query');
      await sleep(wait, undefined, { signal });
    }
  }

  async #answer(id: string, budget: AnswerBudget, signal: AbortSignal): Promise<ResultSet> {
    let columns: ResultColumn[] | undefined;
    let token: string | undefined;
    const rows: SqlValue[][] = [];
    do {
      const page: GetQueryResultsCommandOutput = await this.#call(({ GetQueryResultsCommand }, client) =>
        client.send(new GetQueryResultsCommand({ QueryExecutionId: id, NextToken: token }), { abortSignal: signal }),
      );
      const { Rows = [], ResultSetMetadata } = page.ResultSet ?? {};
      columns ??= (ResultSetMetadata?.ColumnInfo ?? []).map(columnOf);
      // The first row of the first page has the names.
      for (const row of Rows.slice(token === undefined ? 1 : 0)) {
        const values = valuesOf(columns, row);
        budget.take(columns, values);
        rows.push(values);
      }
      token = page.NextToken;
    } while (token !== undefined);
    return { columns: columns ?? [], rows };
  }

  /** Of a query that has ended already it does nothing. */
  async #stop(id: string): Promise<void> {
    await this.#call(({ StopQueryExecutionCommand }, client) =>
      client.send(new StopQueryExecutionCommand({ QueryExecutionId: id })),
    ).catch((error: Error) => {
      this.warn('a query could not be stopped in Athena', { query: id, cause: error.message });
    });
  }

  async #call<T>(send: (sdk: typeof import('./athena-sdk'), client: AthenaClient) => Promise<T>): Promise<T> {
    const sdk = await import('./athena-sdk');
    this.#client ??= new sdk.AthenaClient(this.settings.aws);
    try {
      return await send(sdk, this.#client);
    } catch (error) {
      if (error instanceof sdk.InvalidRequestException && error.AthenaErrorCode === 'MALFORMED_QUERY')
        throw athenaFailure(error.message);
      throw awsError(error, 'Athena', RIGHTS);
    }
  }
}

const columnOf = ({ Name = '', Type = '' }: ColumnInfo): ResultColumn => resultColumn(Name, Type);

/** A NULL has no text at all. */
const valuesOf = (columns: readonly ResultColumn[], { Data = [] }: Row): SqlValue[] =>
  columns.map((column, index) => resultValue(column, Data[index]?.VarCharValue ?? null));
