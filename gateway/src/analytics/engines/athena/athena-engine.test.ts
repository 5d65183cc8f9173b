import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lake, openLake } from '@ingesta/kit';
import { createBucket } from '../../../../../test/e2e/harness/s3';
import { AthenaStandIn } from '../../../../../test/services/athena-stand-in';
import { describeWith, motoEndpoint, trinoUrl } from '../../../../../test/services/need';
import { capturedLog, givenConfig } from '../../../testing/given';
import { engineSuite } from '../engine-suite';
import { createEngine, type EngineSet } from '../index';
import { declared, exportGiven, type GivenTable, given } from '../testing/given-table';
import { askTrino, expectNoQueryBehind } from '../testing/on-trino';

const BUNDLES = join(__dirname, '../../../../dist');
const never = () => new AbortController().signal;

describeWith(['moto', 's3', 'trino'], "Athena's API over a real Trino", () => {
  const schema = `test_${randomUUID().replaceAll('-', '')}`;
  let athena: AthenaStandIn;
  let lake: Lake;
  let engines: EngineSet;
  let lines: string[];
  let cache: string;

  beforeAll(async () => {
    athena = new AthenaStandIn(trinoUrl(), 'glue');
    const place = { AWS_ENDPOINT_URL_ATHENA: await athena.start(), AWS_ENDPOINT_URL_GLUE: motoEndpoint() };
    const env = (await createBucket()).settings(false);
    lake = await openLake(env);
    cache = await mkdtemp(join(tmpdir(), 'ingesta-athena-test-'));
    const own = { QUERY_ENGINE: 'athena', ATHENA_OUTPUT: 's3://results/here/', GLUE_DATABASE: schema };
    const captured = capturedLog();
    lines = captured.lines;
    engines = createEngine(
      givenConfig({ ...env, ...own, ...place, ANALYTICS_CACHE_DIR: cache }),
      BUNDLES,
      captured.log,
    );
  });
  afterAll(async () => {
    await engines?.close();
    await athena?.stop();
    await lake?.close();
    if (cache) await rm(cache, { recursive: true });
  });

  engineSuite(() => ({
    engine: engines.engine,
    commit: async (table, columns) => declared(table, await exportGiven(lake, table), columns),
  }));

  const commit = async (table: string, rows: number) => {
    const given_: GivenTable = {
      table,
      columns: [given('n', 'integer', 'int'), given('at', 'timestamp')],
      rows: Array.from({ length: rows }, (_, n) => [String(n), '2025-01-02 15:30:45.123456']),
    };
    const columns = [
      { name: 'n', type: 'bigint' },
      { name: 'at', type: 'timestamp' },
    ];
    return declared(given_, await exportGiven(lake, given_), columns);
  };

  it.each([0, 998, 999, 1000, 2500])('hands over %d rows, whatever is on a page', async (rows) => {
    const table = await commit(`rows_${rows}`, rows);
    const sql = `SELECT n FROM ${table.name} ORDER BY n`;
    const [result] = await engines.engine.query([table], [{ sql, parameters: [] }], never());
    expect(result!.rows).toEqual(Array.from({ length: rows }, (_, n) => [n]));
  });

  it('reads points in time in milliseconds', async () => {
    const table = await commit('instants', 1);
    const [result] = await engines.engine.query(
      [table],
      [{ sql: `SELECT at FROM ${table.name}`, parameters: [] }],
      never(),
    );
    expect(result!.rows).toEqual([['2025-01-02T15:30:45.123Z']]);
  });

  it('leaves no query behind', async () =>
    expectNoQueryBehind(engines.engine, await commit('endless', 1), askTrino('glue', schema)));

  it('warned of nothing, and refused nothing that it does not know', () => {
    expect(lines).toEqual([]);
    expect(new Set(athena.calls)).toEqual(
      new Set(['StartQueryExecution', 'GetQueryExecution', 'GetQueryResults', 'StopQueryExecution']),
    );
  });
});
