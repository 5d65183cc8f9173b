import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { scriptEventSchema, scriptResultSchema } from '@ingesta/kit';
import { describeWith } from '../services/need';
import { createMysql, createPostgresql, type TestDatabase } from './harness/databases';
import { buildImages, E2E_PREFIX } from './harness/images';
import { type Bucket, createBucket } from './harness/s3';
import { SAMPLE_SQL } from './sample-tables';

const sources = [
  { source: 'postgresql' as const, create: createPostgresql, rows: 2_000_000 },
  { source: 'mysql' as const, create: createMysql, rows: 2_000_000 },
];

/** `docker run --rm …` as a person types it. */
async function dockerRun(image: string, env: Record<string, string>, ...options: string[]) {
  const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const args = ['run', '--rm', '--add-host=host.docker.internal:host-gateway', ...options, ...variables, image];
  const child = spawn('docker', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await exit, stdout, stderr };
}

describe.each(sources)('$source', ({ source, create, rows }) => {
  describeWith(['docker', 's3', source], 'docker run, with no gateway', () => {
    let database: TestDatabase;
    let bucket: Bucket;
    const image = `${E2E_PREFIX}${source}:latest`;

    beforeAll(async () => {
      await buildImages(source);
      database = await create();
      for (const sql of SAMPLE_SQL) await database.query(sql);
      bucket = await createBucket();
    });
    afterAll(() => database?.drop());

    it('prints one JSON document on stdout, and events on stderr', async () => {
      const { code, stdout, stderr } = await dockerRun(image, { ...database.settings(true), ...bucket.settings(true) });
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stdout.trim().split('\n')).toHaveLength(1);
      const result = scriptResultSchema.parse(JSON.parse(stdout));
      expect(result.database).toBe(source);
      expect(Object.keys(result.result).sort()).toEqual(['empty_table', 'users']);
      const events = stderr
        .trim()
        .split('\n')
        .map((line) => scriptEventSchema.parse(JSON.parse(line)));
      expect(events.map((event) => event.event)).toEqual(expect.arrayContaining(['table_started', 'table_finished']));
    });

    it('explains localhost to somebody inside a container', async () => {
      const prefix = source === 'mysql' ? 'MYSQL' : 'POSTGRES';
      const settings = { ...database.settings(true), ...bucket.settings(true), [`${prefix}_HOST`]: 'localhost' };
      const { code, stdout } = await dockerRun(image, settings);
      expect(code).toBe(69);
      expect(JSON.parse(stdout).error).toMatchObject({
        code: 'SOURCE_UNAVAILABLE',
        hint: expect.stringContaining('host.docker.internal'),
      });
    });

    it('describes itself', async () => {
      const { code, stdout } = await dockerRun(image, {}, '--network=none');
      // Without settings it says which are missing …
      expect(code).toBe(64);
      expect(JSON.parse(stdout).error.code).toBe('SOURCE_CONFIG');
    });

    it(`takes ${rows.toLocaleString('en-US')} rows through 128 MiB`, async () => {
      await database.query(bigTable(source, rows));
      const limits = ['--memory=128m', '--memory-swap=128m', '--read-only', '--cap-drop=ALL'];
      const { code, stdout, stderr } = await dockerRun(
        image,
        { ...database.settings(true), ...bucket.settings(true) },
        ...limits,
      );
      expect({ code, stderr: stderr.slice(-2000) }).toMatchObject({ code: 0 });
      const { result } = scriptResultSchema.parse(JSON.parse(stdout));
      expect(result.big).toMatchObject({ registros: rows });
      expect(result.big!.bytes).toBeGreaterThan(rows * 60);
    }, 300_000);
  });
});

/** A table of many rows with a bit of everything, made by the server itself. */
function bigTable(source: 'postgresql' | 'mysql', rows: number): string {
  if (source === 'postgresql') {
    return `CREATE TABLE big AS SELECT n AS id, 'customer "' || n || '", née' AS name, n * 1.25::numeric AS amount,
      timestamp '2025-01-01' + n * interval '1 second' AS at, md5(n::text) AS code, n % 2 = 0 AS active
      FROM generate_series(1, ${rows}) n`;
  }
  return `CREATE TABLE big ENGINE=InnoDB AS SELECT n AS id, CONCAT('customer "', n, '", née') AS name, n * 1.25 AS amount,
    TIMESTAMP('2025-01-01') + INTERVAL n SECOND AS at, MD5(n) AS code, n % 2 = 0 AS active
    FROM (WITH d AS (SELECT 0 i UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
      UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)
      SELECT 1 + a.i + 10*b.i + 100*c.i + 1000*e.i + 10000*f.i + 100000*g.i + 1000000*h.i AS n
      FROM d a, d b, d c, d e, d f, d g, (SELECT 0 i UNION ALL SELECT 1) h) numbers`;
}
