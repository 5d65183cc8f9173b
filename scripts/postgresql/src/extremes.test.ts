import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { scriptPlanSchema, scriptResultSchema } from '@ingesta/kit';
import { describeWith } from '../../../test/services/need';
import { exportTable, TestDatabase } from './test-database';

const PROGRAM = join(__dirname, '../dist/main.js');
const MIB = 1024 * 1024;

describeWith(['postgresql'], 'PostgreSQL: many, wide, large', () => {
  let db: TestDatabase;
  let folder: string;
  beforeEach(async () => {
    db = await TestDatabase.create();
    folder = await mkdtemp(join(tmpdir(), 'ingesta-pg-extremes-'));
  });
  afterEach(async () => {
    await db.drop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A run of the built program into a folder; its peak of memory in bytes where the system tells it. */
  const run = async (settings: Record<string, string>) => {
    const { out, peak } = await printed(settings);
    return { result: scriptResultSchema.parse(out).result, peak };
  };
  const plan = async () => {
    const { out, peak } = await printed({}, '--dry-run');
    return { plan: scriptPlanSchema.parse(out).plan, peak };
  };
  async function printed(settings: Record<string, string>, ...args: string[]) {
    expect(existsSync(PROGRAM)).toBe(true);
    const env = {
      ...db.env,
      PATH: process.env.PATH,
      INGESTA_SOURCE: 'postgresql',
      LAKE_URL: pathToFileURL(folder).href,
      // As in the image.
      NODE_OPTIONS: '--max-old-space-size=96 --max-semi-space-size=1',
      ...settings,
    };
    const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (data) => {
      out += data;
    });
    let peak = 0;
    const status = `/proc/${child.pid}/status`;
    const look = () => {
      // The high-water mark only grows; near the end the file may be gone.
      const [, kib] = (existsSync(status) && /VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))) || [];
      if (kib) peak = Math.max(peak, Number(kib) * 1024);
    };
    const timer = setInterval(look, 20);
    child.stderr.on('data', look);
    const [code] = await once(child, 'close');
    clearInterval(timer);
    expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });
    return { out: JSON.parse(out), peak };
  }

  it('10,000 tables: the plan, a selection, and all of them', async () => {
    // Few per transaction: each one is a lock.
    await db.admin.query(`DO $$ BEGIN FOR i IN 0..9999 LOOP
      EXECUTE format('CREATE TABLE t%s AS SELECT n AS id, %s AS i, true AS b, 1.50 AS d, current_date AS f, now() AS t,
        ''a,b'' AS texto, NULL::uuid AS u FROM generate_series(1, %s) n', i, i, i % 4);
      IF i % 500 = 499 THEN COMMIT; END IF; END LOOP; END $$`);
    const planned = await plan();
    expect(Object.keys(planned.plan)).toHaveLength(10_000);
    expect(planned.plan.t9999!.columns).toHaveLength(8);
    // Under names of its own: the next run may begin in the same second.
    const some = await run({ POSTGRES_TABLES: 't123*', KEY_TEMPLATE: 'algunas/{table}_{timestamp}.csv' });
    expect(Object.keys(some.result).sort()).toEqual(['t123', ...Array.from({ length: 10 }, (_, i) => `t123${i}`)]);
    const all = await run({ PARALLEL_TABLES: '4' });
    const rows = Object.entries(all.result).map(([name, { registros }]) => [name, registros]);
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`t${i}`, i % 4])),
    );
    expect(new Set(Object.values(all.result).map(({ key }) => key)).size).toBe(10_000);
    for (const { key, bytes } of Object.values(all.result)) expect(statSync(join(folder, key)).size).toBe(bytes);
    for (const { peak } of [planned, all]) expect(peak).toBeLessThan(256 * MIB);
  }, 900_000);

  it('a table with 1,000 columns', async () => {
    const columns = Array.from({ length: 1000 }, (_, i) => `"c ${i}" ${['int', 'text', 'boolean', 'date'][i % 4]}`);
    await db.admin.query(`CREATE TABLE ancha (${columns.join(', ')}); INSERT INTO ancha DEFAULT VALUES;
      INSERT INTO ancha ("c 0", "c 1", "c 999") VALUES (7, 'a,b', '2025-01-02')`);
    const { csv, rows } = await exportTable(db.env, 'ancha');
    const [header, empty, filled] = csv.toString().split('\n');
    expect(rows).toBe(2);
    expect(header!.split(',')).toHaveLength(1000);
    expect(empty).toBe(','.repeat(999));
    expect(filled).toBe(`7,"a,b"${','.repeat(998)}2025-01-02`);
  });

  it('values of 16 MiB in little memory', async () => {
    await db.admin.query(`CREATE TABLE grandes (id int, t text, j jsonb, b bytea);
      INSERT INTO grandes (id, t) SELECT i, repeat('a"b,', 4 * 1024 * 1024) FROM generate_series(1, 3) i;
      INSERT INTO grandes (id, j) SELECT i, jsonb_build_object('x', repeat('q', 16000000)) FROM generate_series(4, 6) i;
      INSERT INTO grandes (id, b) SELECT i, decode(repeat('00ff', 8 * 1024 * 1024), 'hex') FROM generate_series(7, 9) i`);
    const { result, peak } = await run({});
    expect(result.grandes!.registros).toBe(9);
    expect(result.grandes!.bytes).toBeGreaterThan(9 * 15 * MIB);
    expect(peak).toBeLessThan(256e6);
    if (process.platform === 'linux') expect(peak).toBeGreaterThan(0);
  });

  it('csv.gz holds the bytes of the CSV', async () => {
    await db.admin.query('CREATE TABLE filas AS SELECT i AS id, md5(i::text) AS t FROM generate_series(1, 50000) i');
    const { csv } = await exportTable(db.env, 'filas');
    const { result } = await run({ FORMAT: 'csv.gz' });
    const stored = readFileSync(join(folder, result.filas!.key));
    expect(stored.length).toBe(result.filas!.bytes);
    expect(gunzipSync(stored).equals(csv)).toBe(true);
  });
});
