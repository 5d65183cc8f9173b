import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lake, manifestSchema, openLake } from '@ingesta/kit';
import { createBucket } from '../../../test/e2e/harness/s3';
import { describeWith, motoEndpoint, trinoUrl } from '../../../test/services/need';
import { AnswerBudget } from '../analytics/engines/answer-budget';
import { createEngine, type EngineSet } from '../analytics/engines/index';
import { exportGiven, given } from '../analytics/engines/testing/given-table';
import { TrinoRunner } from '../analytics/engines/trino/trino-runner';
import { capturedLog, givenConfig } from '../testing/given';

const never = () => new AbortController().signal;

describeWith(['moto', 's3', 'trino'], 'the tables in Glue, as Trino reads them', () => {
  let lake: Lake;
  let engines: EngineSet;
  let lines: string[];
  let cache: string;
  let trino: TrinoRunner;

  beforeAll(async () => {
    const env = (await createBucket()).settings(false);
    lake = await openLake(env);
    cache = await mkdtemp(join(tmpdir(), 'ingesta-catalog-test-'));
    const schema = `test_${randomUUID().replaceAll('-', '')}`;
    const glue = { GLUE_CATALOG: 'on', GLUE_DATABASE: schema, AWS_ENDPOINT_URL_GLUE: motoEndpoint() };
    const captured = capturedLog();
    lines = captured.lines;
    const config = givenConfig({ ...env, ...glue, ANALYTICS_CACHE_DIR: cache });
    engines = createEngine(config, join(__dirname, '../../dist'), captured.log);
    const settings = { url: trinoUrl(), catalog: 'glue', schema, user: 'ana', password: null };
    trino = new TrinoRunner(settings, () => undefined);
  });
  afterAll(async () => {
    await engines?.close();
    await lake?.close();
    if (cache) await rm(cache, { recursive: true });
  });

  const ask = async (sql: string) =>
    (await trino.run(sql, [], new AnswerBudget({ maxRows: 1000, maxBytes: 1e6 }), never())).rows;

  /** A run whose table has as many rows as its number, all of which say it. */
  const publish = async (run: number) => {
    const columns = [
      given('run', 'integer', 'int'),
      given('Nombre', 'text'),
      given('total', 'decimal', 'numeric(10,2)'),
    ];
    const rows = Array.from({ length: run }, () => [String(run), 'Ana "la ñ",\nsí', '12.50']);
    const entry = { ...(await exportGiven(lake, { table: 'users', columns, rows })), run_id: `r${run}` };
    const manifest = manifestSchema.parse({
      ...{ version: 1, database: 'mysql', run_id: `r${run}`, parent: null, taken_at: entry.taken_at, epoch: run },
      ...{ consistency: 'snapshot', image_digest: null, tables: { users: entry } },
    });
    await engines.catalog!.publishToCatalog(manifest, never());
  };

  it('are typed, and hold texts that a CSV reader of theirs would break', async () => {
    await publish(1);
    expect(await ask('SELECT * FROM mysql_users')).toEqual([[1, 'Ana "la ñ",\nsí', 12.5]]);
    expect((await ask('DESCRIBE mysql_users')).map(([name, type]) => [name, type])).toEqual([
      ['run', 'bigint'],
      ['nombre', 'varchar'],
      ['total', 'decimal(10,2)'],
    ]);
  });

  it('show one run as a whole at any moment', async () => {
    let published = false;
    const publishing = (async () => {
      for (let run = 2; run <= 6; run += 1) await publish(run);
      published = true;
    })();
    const seen: unknown[] = [];
    while (!published) seen.push(...(await ask('SELECT count(*), min(run), max(run) FROM mysql_users')));
    await publishing;
    expect(seen.length).toBeGreaterThan(0);
    for (const one of seen) {
      const [count] = one as number[];
      expect(one).toEqual([count, count, count]);
    }
    expect(await ask('SELECT count(*) FROM mysql_users')).toEqual([[6]]);
    expect(lines).toEqual([]);
  });
});
