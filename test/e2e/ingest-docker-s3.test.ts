import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describeWith, mysqlEnv, pgEnv } from '../services/need';
import { createMysql, createPostgresql, type TestDatabase } from './harness/databases';
import { startTestGateway, type TestGateway } from './harness/gateway';
import { buildImages, containersOf, E2E_PREFIX } from './harness/images';
import { type Bucket, createBucket } from './harness/s3';
import { SAMPLE_SQL, USERS_CSV } from './sample-tables';

const sources = [
  { source: 'postgresql' as const, create: createPostgresql, log: () => pgEnv().log },
  { source: 'mysql' as const, create: createMysql, log: () => mysqlEnv().log },
];

describe.each(sources)('$source', ({ source, create, log }) => {
  describeWith(['docker', 's3', source], 'in a container, to S3', () => {
    let database: TestDatabase;
    let bucket: Bucket;
    let gateway: TestGateway;

    beforeAll(async () => {
      await buildImages(source);
      database = await create();
      for (const sql of SAMPLE_SQL) await database.query(sql);
      bucket = await createBucket();
      gateway = await startTestGateway({
        ...database.settings(true),
        ...bucket.settings(true),
        RUNNER: 'docker',
        IMAGE_PREFIX: E2E_PREFIX,
      });
    });
    afterAll(async () => {
      await gateway?.stop();
      await database?.drop();
    });

    it('answers with the contract, and the bucket holds what the answer says', async () => {
      const { status, body } = await gateway.post(source);
      expect({ status, body }).toMatchObject({ status: 200, body: { status: 'success', database: source } });
      expect(Object.keys(body)).toEqual(
        expect.arrayContaining(['status', 'database', 'result', 'run_id', 'consistency', 'duration_ms']),
      );
      expect(Object.keys(body).slice(0, 3)).toEqual(['status', 'database', 'result']);
      expect(Object.keys(body.result).sort()).toEqual(['empty_table', 'users']);
      expect(Object.keys(body.result.users).slice(0, 2)).toEqual(['url', 'registros']);
      expect(body.consistency).toBe('snapshot');
      expect(body.run_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);

      const { url, registros, bytes, sha256, dropped_columns } = body.result.users;
      expect(url).toMatch(new RegExp(`^s3://${bucket.name}/${source}/users_\\d{8}_\\d{6}\\.csv$`));
      const csv = await bucket.read(url.slice(`s3://${bucket.name}/`.length));
      expect(csv).toBe(USERS_CSV);
      expect({ registros, bytes, sha256 }).toEqual({
        registros: 2,
        bytes: Buffer.byteLength(USERS_CSV),
        sha256: createHash('sha256').update(USERS_CSV).digest('hex'),
      });
      expect(dropped_columns).toEqual([{ name: 'password_hash', reason: 'built-in rule: password' }]);
      expect(body.result.empty_table.registros).toBe(0);

      const pointer = JSON.parse(await bucket.read(`_ingesta/current/${source}.json`));
      const manifest = JSON.parse(await bucket.read(pointer.manifest));
      expect(manifest).toMatchObject({ run_id: body.run_id, parent: null, consistency: 'snapshot' });
      expect(manifest.image_digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(manifest.tables.users).toMatchObject({ sha256, bytes, rows: 2, run_id: body.run_id });
      expect(manifest.tables.users.columns.map((column: { name: string }) => column.name)).toEqual([
        'id',
        'nombre',
        'nota',
      ]);
      const record = JSON.parse(await bucket.read(`_ingesta/runs/${source}/${body.run_id}/run.json`));
      expect(record).toMatchObject({ state: 'succeeded', error: null });
      expect(await containersOf(body.run_id)).toEqual([]);
      expect(await bucket.unfinishedUploads()).toBe(0);
    });

    it('leaves the password column out of the query itself', async () => {
      const file = log();
      // A server that was given keeps its log to itself; ours never does.
      if (file === undefined) throw new Error('this test needs the statement log of a server that the tests started');
      const statements = (await readFile(file, 'utf8'))
        .split('\n')
        .filter((line) => line.includes(database.name) || /\busers\b/.test(line));
      const reads = statements.filter((line) => /SELECT\b.*\bnombre\b.*\bFROM\b.*\busers\b/i.test(line));
      expect(reads.length).toBeGreaterThan(0);
      expect(reads.filter((line) => /password_hash/.test(line))).toEqual([]);
    });

    it('exports some tables on request, and the snapshot keeps the others', async () => {
      const { status, body } = await gateway.post(source, { tables: ['users'], format: 'csv.gz' });
      expect({ status, tables: Object.keys(body.result ?? {}) }).toEqual({ status: 200, tables: ['users'] });
      expect(body.result.users.url).toMatch(/\.csv\.gz$/);
      const pointer = JSON.parse(await bucket.read(`_ingesta/current/${source}.json`));
      const manifest = JSON.parse(await bucket.read(pointer.manifest));
      expect(manifest.consistency).toBe('mixed');
      expect(Object.keys(manifest.tables).sort()).toEqual(['empty_table', 'users']);
    });

    it('says what it would do, without doing it', async () => {
      const before = await bucket.keys();
      const { status, body } = await gateway.post(source, { dry_run: true });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        status: 'planned',
        plan: { users: { dropped_columns: [{ name: 'password_hash', reason: 'built-in rule: password' }] } },
      });
      expect(await bucket.keys()).toEqual(before);
    });

    it('tells the age of the data', async () => {
      const { body } = await gateway.get('/health');
      expect(body).toMatchObject({ status: 'OK', data_availability: { [source]: { users: true, empty_table: true } } });
      const list = await gateway.get('/api/ingesta');
      const own = list.body.sources.find((entry: { name: string }) => entry.name === source);
      expect(own).toMatchObject({ present: true, hint: null, missing_env: [], image: `${E2E_PREFIX}${source}:latest` });
      expect(own.last_run.age_seconds).toBeLessThan(120);
    });
  });
});
