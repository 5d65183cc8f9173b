import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lake, openLake } from '@ingesta/kit';
import { createBucket } from '../../../../../test/e2e/harness/s3';
import { describeWith, motoEndpoint, trinoUrl } from '../../../../../test/services/need';
import { awsSettings } from '../../../aws-settings';
import { Glue } from '../../../catalog/glue';
import { capturedLog, givenConfig } from '../../../testing/given';
import type { QueryTable } from '../engine';
import { engineSuite } from '../engine-suite';
import { createEngine, type EngineSet } from '../index';
import { declared, exportGiven, type GivenTable, given } from '../testing/given-table';
import { askTrino, expectNoQueryBehind } from '../testing/on-trino';
import { twinKey } from '../twin';

const BUNDLES = join(__dirname, '../../../../dist');
/** Moto takes any. */
const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
const never = () => new AbortController().signal;
const schemaName = () => `test_${randomUUID().replaceAll('-', '')}`;

/** The suite and what is Trino's own, with the tables in one of its catalogs. */
function inCatalog(catalog: string, settings: (schema: string) => Record<string, string>): void {
  let lake: Lake;
  let engines: EngineSet;
  let lines: string[];
  let cache: string;
  const schema = schemaName();

  beforeAll(async () => {
    const env = (await createBucket()).settings(false);
    lake = await openLake(env);
    cache = await mkdtemp(join(tmpdir(), 'ingesta-trino-test-'));
    const own = { QUERY_ENGINE: 'trino', TRINO_URL: trinoUrl(), TRINO_CATALOG: catalog, ANALYTICS_CACHE_DIR: cache };
    const captured = capturedLog();
    lines = captured.lines;
    engines = createEngine(givenConfig({ ...env, ...own, ...settings(schema) }), BUNDLES, captured.log);
  });
  afterAll(async () => {
    await engines?.close();
    await lake?.close();
    if (cache) await rm(cache, { recursive: true });
  });

  engineSuite(() => ({
    engine: engines.engine,
    commit: async (table, columns) => declared(table, await exportGiven(lake, table), columns),
  }));

  const counts = (n: number, table = 'counts'): GivenTable => ({
    table,
    columns: [given('n', 'integer', 'int')],
    rows: [[String(n)]],
  });
  /** The table of a run; runs with greater numbers come later. */
  const commitRun = async (run: number, table = 'counts'): Promise<QueryTable> => {
    const entry = await exportGiven(lake, counts(run, table));
    const run_id = `01890a5d-ac96-774b-bcce-${String(run).padStart(12, '0')}`;
    return declared(counts(run, table), { ...entry, run_id }, [{ name: 'n', type: 'bigint' }]);
  };
  const read = async (table: QueryTable) => {
    const sql = `SELECT n FROM ${table.name}`;
    const [result] = await engines.engine.query([table], [{ sql, parameters: [] }], never());
    return result!.rows;
  };
  const ask = askTrino(catalog, schema);
  const tablesOf = async (family: string) =>
    (await ask('SHOW TABLES')).map(([name]) => String(name)).filter((name) => name.startsWith(`${family}__`));

  /** Trino does not write to a stand-in's Glue. */
  const drop = (name: string) =>
    catalog === 'glue'
      ? new Glue(schema, awsSettings({ AWS_ENDPOINT_URL: motoEndpoint(), ...KEYS }, 'GLUE')).delete([name])
      : ask(`DROP TABLE "${name}"`);

  it('reads exactly the entries it is given, whatever was published since', async () => {
    const [older, newer] = [await commitRun(1), await commitRun(2)];
    expect(await Promise.all([read(newer), read(older), read(newer), read(older)])).toEqual([
      [[2]],
      [[1]],
      [[2]],
      [[1]],
    ]);
  });

  it('keeps the tables of two runs', async () => {
    for (const run of [1, 2, 3, 4]) expect(await read(await commitRun(run, 'kept'))).toEqual([[run]]);
    const kept = (await tablesOf('mysql_kept')).sort();
    expect(kept).toEqual([expect.stringContaining('000000000003_'), expect.stringContaining('000000000004_')]);
  });

  it('makes a table anew that another gateway dropped', async () => {
    const table = await commitRun(1, 'dropped');
    expect(await read(table)).toEqual([[1]]);
    await drop((await tablesOf('mysql_dropped'))[0]!);
    expect(await read(table)).toEqual([[1]]);
  });

  it('has a damaged file made anew, and reads that', async () => {
    const table = await commitRun(1, 'damaged');
    expect(await read(table)).toEqual([[1]]);
    const key = twinKey('mysql', 'damaged', table.entry);
    const { metadata } = (await lake.head(key))!;
    await lake.delete(key);
    const broken = async function* () {
      yield Buffer.from('PAR1 no more, but long enough for a footer PAR1');
    };
    await lake.create(key, broken(), { contentType: 'x', metadata: metadata! });
    expect(await read(table)).toEqual([[1]]);
    expect(lines.splice(0)).toEqual([expect.stringContaining('is damaged')]);
  });

  it('keeps names, microseconds and digits of every kind of column', async () => {
    const table: GivenTable = {
      table: 'Año nuevo; "x"',
      columns: [
        given('Día', 'timestamp'),
        given('a;b', 'timestamptz'),
        given('A;B', 'text'),
        given('total', 'decimal', 'numeric'),
        given('código', 'integer', 'numeric(30)'),
        given('not, read', 'text'),
      ],
      rows: [
        ['2025-01-02 15:30:45.123456', '1969-12-31 23:59:59.999999+00', 'ñ', '12345678901234567890.123456789', '1', ''],
        ['0001-01-01 00:00:00', '9999-12-31 23:59:59.999999+00', null, null, '123456789012345678901234567890', ''],
      ],
    };
    const columns = [
      { name: 'Día', type: 'timestamp' },
      { name: 'a;b', type: 'timestamp' },
      { name: 'A;B', type: 'varchar' },
      { name: 'total', type: 'varchar' },
      { name: 'código', type: 'varchar' },
    ];
    const known = { ...declared(table, await exportGiven(lake, table), columns), name: 'odd' };
    const [result] = await engines.engine.query(
      [known],
      [{ sql: 'SELECT * FROM odd ORDER BY 1 DESC', parameters: [] }],
      never(),
    );
    expect(result!.rows).toEqual([
      ['2025-01-02T15:30:45.123456Z', '1969-12-31T23:59:59.999999Z', 'ñ', '12345678901234567890.123456789', '1'],
      ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z', null, null, '123456789012345678901234567890'],
    ]);
  });

  it('leaves no query behind in Trino', async () =>
    expectNoQueryBehind(engines.engine, await commitRun(1, 'endless'), ask));

  it('warned of nothing', () => expect(lines).toEqual([]));
}

describeWith(['s3', 'trino'], 'Trino with tables that it makes itself', () => {
  inCatalog('hive', (schema) => ({ GLUE_CATALOG: 'off', TRINO_SCHEMA: schema }));
});

describeWith(['moto', 's3', 'trino'], 'Trino with tables in Glue', () => {
  inCatalog('glue', (schema) => ({ GLUE_DATABASE: schema, AWS_ENDPOINT_URL_GLUE: motoEndpoint() }));
});
