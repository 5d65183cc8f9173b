import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ColumnInfo, QueryExecutionState, Row } from '@aws-sdk/client-athena';
import { TrinoStatement } from './trino-statement';

/** Bytes of a statement, and rows of a page, as Athena has it. */
const MAX_STATEMENT = 262_144;
const PAGE_ROWS = 1000;

interface Query {
  sql: string;
  workgroup: string;
  database: string;
  state: QueryExecutionState;
  reason?: string;
  columns: ColumnInfo[];
  /** Each the JSON of a page's rows: objects would take ten times the memory. */
  pages: string[];
  statement: TrinoStatement;
}

/** What is read of each call; anything else is refused rather than ignored. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  StartQueryExecution: [
    'QueryString',
    'ClientRequestToken',
    'WorkGroup',
    'QueryExecutionContext',
    'ResultConfiguration',
  ],
  GetQueryExecution: ['QueryExecutionId'],
  GetQueryResults: ['QueryExecutionId', 'NextToken'],
  StopQueryExecution: ['QueryExecutionId'],
};

/**
 * Athena's API, as far as the gateway calls it, over a real Trino, which Athena is made of: statements run, and fail, as
 * Trino has it, and their rows come as Athena tells them. Not Athena itself: of its rights, quotas and workgroups there is nothing here.
 */
export class AthenaStandIn {
  /** Names of the calls that came. */
  readonly calls: string[] = [];
  readonly #queries = new Map<string, Query>();
  readonly #tokens = new Map<string, string>();
  readonly #server = createServer(async (request, response) => {
    const send = (status: number, body: string) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
    try {
      send(200, await this.#answer(request));
    } catch (error) {
      const { name, message, code } = error as Error & { code?: string };
      send(400, JSON.stringify({ __type: name, Message: message, ...(code && { AthenaErrorCode: code }) }));
    }
  });

  /** `catalog` is the one of Trino that stands for Athena's `AwsDataCatalog`. */
  constructor(
    private readonly trino: string,
    private readonly catalog: string,
  ) {}

  /** Its address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends it, and what still runs in Trino. */
  async stop(): Promise<void> {
    await Promise.all([...this.#queries.values()].map(({ statement }) => statement.cancel()));
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<string> {
    const action = String(request.headers['x-amz-target']).replace(/^AmazonAthena\./, '');
    const input = JSON.parse(await text(request)) as Record<string, unknown>;
    if (!/\/athena\/aws4_request\b/.test(request.headers.authorization ?? ''))
      throw refusal('MissingAuthenticationTokenException', 'Missing Authentication Token');
    const strange = Object.keys(input).filter((member) => !MEMBERS[action]?.includes(member));
    if (strange.length > 0 || !MEMBERS[action]) throw invalid(`the stand-in knows no ${action}.${strange}`);
    this.calls.push(action);
    if (action === 'StartQueryExecution') return JSON.stringify({ QueryExecutionId: await this.#start(input) });
    const id = String(input.QueryExecutionId);
    const query = this.#queries.get(id);
    if (!query) throw invalid(`QueryExecution ${id} was not found`);
    if (action === 'GetQueryExecution') return JSON.stringify({ QueryExecution: told(id, query) });
    if (action === 'GetQueryResults') return results(query, input.NextToken as string | undefined);
    if (['QUEUED', 'RUNNING'].includes(query.state)) {
      query.state = 'CANCELLED';
      await query.statement.cancel();
    }
    return '{}';
  }

  /** A token that came before stands for the query that it began: the SDK may send one twice. */
  async #start(input: Record<string, unknown>): Promise<string> {
    const known = this.#tokens.get(String(input.ClientRequestToken));
    if (known) return known;
    const { Database } = input.QueryExecutionContext as { Database: string };
    const { OutputLocation = '' } = (input.ResultConfiguration ?? {}) as { OutputLocation?: string };
    if (!OutputLocation.startsWith('s3://')) throw invalid('No output location provided.', 'INVALID_INPUT');
    const sql = String(input.QueryString);
    if (Buffer.byteLength(sql) > MAX_STATEMENT) throw invalid('The query string is too long', 'INVALID_INPUT');
    const statement = new TrinoStatement(this.trino, { catalog: this.catalog, schema: Database, sql });
    const query: Query = {
      ...{ sql, workgroup: String(input.WorkGroup), database: Database, statement },
      ...{ state: 'QUEUED', columns: [], pages: [] },
    };
    const id = randomUUID();
    this.#tokens.set(String(input.ClientRequestToken), id);
    this.#queries.set(id, query);
    // What cannot be parsed is refused at once, everything else fails later.
    const begun = await statement.begin();
    if (begun.error?.errorName === 'SYNTAX_ERROR') throw invalid(begun.error.message, 'MALFORMED_QUERY');
    this.#collect(query).catch((error: Error) => {
      // Trino has no more pages of what was cancelled.
      if (query.state === 'CANCELLED') return;
      query.state = 'FAILED';
      query.reason = error.message;
    });
    return id;
  }

  async #collect(query: Query): Promise<void> {
    let rows: Row[] = [];
    const close = () => {
      query.pages.push(JSON.stringify(rows));
      rows = [];
    };
    const add = (row: Row) => rows.push(row) === PAGE_ROWS && close();
    for await (const { columns, data = [], error } of query.statement.pages()) {
      if (query.state === 'CANCELLED') return;
      query.state = 'RUNNING';
      if (error) {
        query.state = 'FAILED';
        query.reason = `${error.errorName}: ${error.message}`;
        return;
      }
      if (columns && query.columns.length === 0) {
        query.columns = columns.map(({ name, type }) => ({ Name: name, Type: athenaType(type) }));
        add({ Data: columns.map(({ name }) => ({ VarCharValue: name })) });
      }
      for (const row of data) add({ Data: row.map((value) => (value === null ? {} : { VarCharValue: value })) });
    }
    if (query.state === 'CANCELLED') return;
    if (rows.length > 0) close();
    query.state = 'SUCCEEDED';
  }
}

const told = (id: string, { sql, workgroup, database, state, reason }: Query): object => ({
  QueryExecutionId: id,
  Query: sql,
  WorkGroup: workgroup,
  QueryExecutionContext: { Database: database },
  Status: { State: state, ...(reason !== undefined && { StateChangeReason: reason }) },
});

function results({ state, columns, pages }: Query, token: string | undefined): string {
  if (state !== 'SUCCEEDED') throw invalid(`Query has not yet finished. Current state: ${state}`);
  const page = token === undefined ? 0 : Number(token);
  const next = page + 1 < pages.length ? `,"NextToken":"${page + 1}"` : '';
  const metadata = JSON.stringify({ ColumnInfo: columns });
  return `{"ResultSet":{"Rows":${pages[page]},"ResultSetMetadata":${metadata}}${next}}`;
}

const athenaType = (type: string): string => (type === 'real' ? 'float' : type);

const refusal = (name: string, message: string, code?: string): Error =>
  Object.assign(new Error(message), { name, ...(code && { code }) });

const invalid = (message: string, code?: string): Error => refusal('InvalidRequestException', message, code);
