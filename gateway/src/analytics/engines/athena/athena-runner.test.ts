import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AthenaClient, GetQueryExecutionCommand, ListQueryExecutionsCommand } from '@aws-sdk/client-athena';
import { describeWith, motoEndpoint } from '../../../../../test/services/need';
import { awsSettings } from '../../../aws-settings';
import { AnswerBudget } from '../answer-budget';
import { AthenaRunner, type AthenaSettings } from './athena-runner';

const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
const never = () => new AbortController().signal;
const budget = (maxRows = 100) => new AnswerBudget({ maxRows, maxBytes: 1e6 });

const runnerAt = (endpoint: string, change: Partial<AthenaSettings> = {}, warnings: string[] = []) => {
  const aws = awsSettings({ ...KEYS, AWS_ENDPOINT_URL_ATHENA: endpoint }, 'ATHENA');
  const settings = { database: 'primac', workgroup: 'primary', output: 's3://bucket/results/', aws, ...change };
  return new AthenaRunner(settings, (message) => warnings.push(message));
};

describeWith(['moto'], "Athena's API", () => {
  const client = () =>
    new AthenaClient({
      region: 'us-east-1',
      endpoint: motoEndpoint(),
      credentials: { accessKeyId: 't', secretAccessKey: 't' },
    });

  /** The rows that moto's next query answers with; a missing value is NULL. */
  const willAnswer = async (columns: Record<string, string>, rows: (string | undefined)[][]) => {
    const texts = [Object.keys(columns), ...rows];
    const result = {
      rows: texts.map((row) => ({ Data: row.map((text) => (text === undefined ? {} : { VarCharValue: text })) })),
      column_info: Object.entries(columns).map(([Name, Type]) => ({ Name, Type, Precision: 0, Scale: 0 })),
    };
    const body = JSON.stringify({ account_id: '123456789012', region: 'us-east-1', results: [result] });
    const headers = { 'Content-Type': 'application/json' };
    const url = `${motoEndpoint()}/moto-api/static/athena/query-results`;
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(201);
  };

  it('answers with typed values, NULL apart from the empty text', async () => {
    const columns = {
      n: 'bigint',
      big: 'bigint',
      d: 'decimal',
      x: 'double',
      nan: 'double',
      b: 'boolean',
      day: 'date',
      at: 'timestamp',
      t: 'varchar',
      z: 'varchar',
    };
    const row = [
      '5',
      '9007199254740993',
      '1234.50',
      '1.0E-7',
      'NaN',
      'true',
      '2024-02-29',
      '2025-01-02 15:30:45.100',
      '',
      undefined,
    ];
    await willAnswer(columns, [row]);
    const result = await runnerAt(motoEndpoint()).run('SELECT 1', [], budget(), never());
    expect(result.columns.map(({ type }) => type)).toEqual([
      ...['integer', 'integer', 'number', 'number', 'number', 'boolean', 'date', 'date-time', 'string', 'string'],
    ]);
    expect(result.rows).toEqual([
      [5, '9007199254740993', 1234.5, 1e-7, null, true, '2024-02-29', '2025-01-02T15:30:45.1Z', '', null],
    ]);
  });

  it('gets the statement with its literals, the database, the workgroup and the place for results', async () => {
    await willAnswer({ n: 'bigint' }, []);
    const mark = randomUUID();
    await runnerAt(motoEndpoint()).run(`SELECT ? FROM t WHERE '${mark}?' <> ?`, [7, "O'Neill"], budget(), never());
    const { QueryExecutionIds = [] } = await client().send(new ListQueryExecutionsCommand({}));
    const all = await Promise.all(
      QueryExecutionIds.map(
        async (id) => (await client().send(new GetQueryExecutionCommand({ QueryExecutionId: id }))).QueryExecution!,
      ),
    );
    expect(all.find(({ Query }) => Query?.includes(mark))).toMatchObject({
      Query: `SELECT BIGINT '7' FROM t WHERE '${mark}?' <> 'O''Neill'`,
      WorkGroup: 'primary',
      QueryExecutionContext: { Database: 'primac' },
      ResultConfiguration: { OutputLocation: expect.stringContaining('s3://bucket/results/') },
    });
  });

  it('has too many rows refused', async () => {
    await willAnswer({ n: 'bigint' }, [['1'], ['2'], ['3']]);
    await expect(runnerAt(motoEndpoint()).run('SELECT 1', [], budget(2), never())).rejects.toMatchObject({
      code: 'RESULT_TOO_LARGE',
    });
  });

  it('has a workgroup that is not there told with what to check', async () => {
    const asked = runnerAt(motoEndpoint(), { workgroup: 'nope' }).run('SELECT 1', [], budget(), never());
    await expect(asked).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('WorkGroup') });
  });
});

/** Moto's queries neither take time nor fail: these states come from a server of the test's own. */
describe('Athena that takes its time', () => {
  /** Null: it stays silent. */
  type Answers = Record<
    string,
    (body: Record<string, unknown>, times: number) => [status: number, body: object] | null
  >;

  async function withAthena(answers: Answers, work: (endpoint: string, asked: string[]) => Promise<void>) {
    const asked: string[] = [];
    const server = createServer(async (request, response) => {
      const action = String(request.headers['x-amz-target']).split('.')[1]!;
      asked.push(action);
      let text = '';
      for await (const part of request) text += part;
      const times = asked.filter((one) => one === action).length;
      const { [action]: answer = (): [number, object] => [200, {}] } = answers;
      const answered = answer(JSON.parse(text), times);
      if (answered === null) return;
      const [status, body] = answered;
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const started = { StartQueryExecution: () => [200, { QueryExecutionId: 'q' }] } satisfies Answers;
  const state = (State: string, StateChangeReason = ''): [number, object] => [
    200,
    { QueryExecution: { Status: { State, StateChangeReason } } },
  ];

  it('is looked at until it is done, and read page by page', async () => {
    const page = (values: string[], NextToken?: string): [number, object] => [
      200,
      {
        ResultSet: {
          Rows: values.map((VarCharValue) => ({ Data: [{ VarCharValue }] })),
          ResultSetMetadata: { ColumnInfo: [{ Name: 'n', Type: 'bigint' }] },
        },
        NextToken,
      },
    ];
    const answers: Answers = {
      ...started,
      GetQueryExecution: (_, times) => state(['QUEUED', 'RUNNING', 'SUCCEEDED'][times - 1]!),
      GetQueryResults: ({ NextToken }) => (NextToken === undefined ? page(['n', '1'], 'more') : page(['2', '3'])),
    };
    await withAthena(answers, async (endpoint, asked) => {
      const { rows } = await runnerAt(endpoint).run('SELECT n', [], budget(), never());
      expect(rows).toEqual([[1], [2], [3]]);
      expect(asked).not.toContain('StopQueryExecution');
    });
  });

  it('is stopped when the caller leaves', async () => {
    const stop = new AbortController();
    const answers: Answers = {
      ...started,
      GetQueryExecution: () => {
        stop.abort(new Error('gone'));
        return state('RUNNING');
      },
    };
    await withAthena(answers, async (endpoint, asked) => {
      await expect(runnerAt(endpoint).run('SELECT 1', [], budget(), stop.signal)).rejects.toThrow('gone');
      while (asked.at(-1) !== 'StopQueryExecution') await sleep(10);
    });
  });

  it('is not waited for when it does not say that it stops', async () => {
    const answers: Answers = { ...started, GetQueryExecution: () => state('RUNNING'), StopQueryExecution: () => null };
    await withAthena(answers, async (endpoint, asked) => {
      const run = runnerAt(endpoint).run('SELECT 1', [], budget(), AbortSignal.timeout(500));
      await expect(run).rejects.toThrow('timeout');
      while (asked.at(-1) !== 'StopQueryExecution') await sleep(10);
    });
  });

  it('tells why a query failed', async () => {
    const answers: Answers = {
      ...started,
      GetQueryExecution: () => state('FAILED', "TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist"),
    };
    await withAthena(answers, async (endpoint) => {
      const asked = runnerAt(endpoint).run('SELECT 1', [], budget(), never());
      await expect(asked).rejects.toMatchObject({ name: 'SqlFailure', kind: 'no-table' });
    });
  });

  it.each([
    [400, { __type: 'AccessDeniedException', Message: 'no' }, 'LAKE_DENIED'],
    [400, { __type: 'ExpiredTokenException', message: 'old' }, 'LAKE_DENIED'],
    [500, { __type: 'InternalServerException', Message: 'oops' }, 'LAKE_UNAVAILABLE'],
  ])('has its status %d with %j told as %s', async (status, body, code) => {
    await withAthena({ StartQueryExecution: () => [status, body] }, async (endpoint) => {
      await expect(runnerAt(endpoint).run('SELECT 1', [], budget(), never())).rejects.toMatchObject({ code });
    });
  });

  it('warns of a query that it could not stop', async () => {
    const warnings: string[] = [];
    const stop = new AbortController();
    const answers: Answers = {
      ...started,
      GetQueryExecution: () => {
        stop.abort(new Error('gone'));
        return state('RUNNING');
      },
      StopQueryExecution: () => [400, { __type: 'AccessDeniedException', Message: 'no' }],
    };
    await withAthena(answers, async (endpoint) => {
      await expect(runnerAt(endpoint, {}, warnings).run('SELECT 1', [], budget(), stop.signal)).rejects.toThrow('gone');
      while (warnings.length === 0) await sleep(10);
      expect(warnings).toEqual(['a query could not be stopped in Athena']);
    });
  });
});
