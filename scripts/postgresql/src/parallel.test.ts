import { setTimeout as sleep } from 'node:timers/promises';
import type { CsvChunk } from '@ingesta/kit';
import { Client } from 'pg';
import { describeWith } from '../../../test/services/need';
import { settled } from '../../../test/settled';
import { testContext } from '../../kit/src/testing/test-context';
import { postgresql } from './source';
import { exportTable, selectionOf, TestDatabase } from './test-database';

/** Some 50 MB: well above the size from which a table is read in ranges. */
const ROWS = 60_000;

describeWith(['postgresql'], 'PostgreSQL: several connections over one snapshot', () => {
  let db: TestDatabase;
  /** Open transactions of the script's backends, once there have been `n` of them. */
  const connectionsReach = async (n: number) => {
    const seen = await settled(
      () => db.backends(),
      ({ length }) => length >= n,
    );
    expect(seen).toHaveLength(n);
  };
  const noBackends = async () => {
    const seen = await settled(
      () => db.backends(),
      ({ length }) => length === 0,
    );
    expect(seen).toEqual([]);
  };
  const sorted = (csv: Buffer) => csv.toString().split('\n').sort();
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.admin.query(`
      CREATE TABLE grande AS SELECT i AS id, repeat(md5(i::text), 25) AS t, i % 7 = 0 AS b FROM generate_series(1, ${ROWS}) i;
      ALTER TABLE grande ALTER t SET STORAGE PLAIN;
      CREATE TABLE partes (id int, t text) PARTITION BY RANGE (id);
      CREATE TABLE partes_1 PARTITION OF partes FOR VALUES FROM (0) TO (40000);
      CREATE TABLE partes_2 PARTITION OF partes FOR VALUES FROM (40000) TO (1000000);
      INSERT INTO partes SELECT id, t FROM grande;
      DELETE FROM grande WHERE id % 10 = 3; UPDATE grande SET b = NULL WHERE id % 10 = 4;
      CREATE MATERIALIZED VIEW mat AS SELECT * FROM grande; CREATE VIEW vista AS SELECT * FROM grande;
      CREATE TABLE chica AS SELECT 1 AS id; ANALYZE`);
  });
  afterAll(() => db.drop());

  it.each(['grande', 'partes', 'mat', 'vista', 'chica'])(
    '%s has the same rows over one connection and over three',
    async (name) => {
      const one = await exportTable(db.env, name);
      const three = await exportTable(db.env, name, { parallelRanges: 3 });
      expect(three.rows).toBe(one.rows);
      expect(three.warnings).toEqual([]);
      expect(sorted(three.csv)).toEqual(sorted(one.csv));
      expect(three.csv.subarray(0, 2).equals(one.csv.subarray(0, 2))).toBe(true);
    },
  );

  it('who may read some columns only gets them over one connection', async () => {
    const role = `columnas_${db.name}`;
    await db.admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'lee'; GRANT SELECT (id, b) ON grande TO ${role}`);
    try {
      const env = { ...db.env, POSTGRES_USER: role, POSTGRES_PASSWORD: 'lee' };
      const { rows, csv } = await exportTable(env, 'grande', { parallelRanges: 3 });
      expect(rows).toBe(ROWS * 0.9);
      expect(csv.subarray(0, 5).toString()).toBe('id,b\n');
    } finally {
      await db.admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('rows larger than the pieces that connections hand on are never mixed', async () => {
    await db.admin.query(`CREATE TABLE muchas (id int, t text, r text); ALTER TABLE muchas ALTER r SET STORAGE PLAIN;
      INSERT INTO muchas SELECT i, CASE WHEN i % 500 = 0 THEN repeat('a"', 300000) ELSE 'corta' END, repeat('y', 7000)
      FROM generate_series(1, 6000) i`);
    const one = await exportTable(db.env, 'muchas');
    const four = await exportTable(db.env, 'muchas', { parallelRanges: 4 });
    expect(four.rows).toBe(6000);
    expect(sorted(four.csv)).toEqual(sorted(one.csv));
  });

  it('all connections read the snapshot of the first, also those opened later, and end with it', async () => {
    const context = testContext({ parallelTables: 2, parallelRanges: 2 });
    const session = await postgresql.connect(db.env, context);
    expect(session.parallelReads).toBe(2);
    await session.list();
    const [grande, partes] = await session.describe(['grande', 'partes']);
    await db.admin.query(`INSERT INTO grande SELECT ${ROWS} + i, 'tarde', false FROM generate_series(1, 500) i;
      INSERT INTO partes SELECT ${ROWS} + i, 'tarde' FROM generate_series(1, 500) i`);
    const chunks = [grande!, partes!].map((table) => session.read(selectionOf(table))[Symbol.asyncIterator]());
    const begun = await Promise.all(chunks.map((table) => table.next()));
    // Neither is read on before both have their helpers: none can take over the other's.
    await connectionsReach(4);
    const drained = chunks.map(async (table, i) => {
      let rows = 0;
      let text = '';
      for (let step = begun[i]!; !step.done; step = await table.next()) {
        rows += step.value.rows;
        text += step.value.data.includes('tarde') ? 'tarde' : '';
      }
      return { rows, text };
    });
    expect(await Promise.all(drained)).toEqual([
      { rows: ROWS * 0.9, text: '' },
      { rows: ROWS, text: '' },
    ]);
    expect(context.warnings).toEqual([]);
    await session.close();
    await noBackends();
    await db.admin.query(`DELETE FROM grande WHERE id > ${ROWS}; DELETE FROM partes WHERE id > ${ROWS}`);
  });

  it('where the server takes no more connections, it goes on with fewer and says so', async () => {
    const role = `pocas_${db.name}`;
    await db.admin.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'lee' CONNECTION LIMIT 2; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
    try {
      const env = { ...db.env, POSTGRES_USER: role, POSTGRES_PASSWORD: 'lee' };
      const result = await exportTable(env, 'grande', { parallelRanges: 4 });
      expect(result.rows).toBe(ROWS * 0.9);
      expect(result.warnings).toEqual([expect.stringMatching(/^Fewer connections .*too many connections for role/)]);
    } finally {
      await noBackends();
      await db.admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('one lost connection of several fails the table and frees the others', async () => {
    const session = await postgresql.connect(db.env, testContext({ parallelRanges: 3 }));
    await session.list();
    const [table] = await session.describe(['grande']);
    const chunks = session.read(selectionOf(table!))[Symbol.asyncIterator]();
    await chunks.next();
    // Reading, all three: one that is lost while it joins would only be missed. The last one to come is a helper.
    const readers = async () => {
      const { rows } = await db.admin.query(`SELECT pid FROM pg_stat_activity WHERE application_name = 'ingesta'
        AND datname = current_database() AND query LIKE '%ctid >=%' ORDER BY backend_start DESC`);
      return rows;
    };
    const [helper] = await settled(readers, ({ length }) => length === 3);
    await db.admin.query('SELECT pg_terminate_backend($1)', [helper.pid]);
    const drain = async () => {
      while (!(await chunks.next()).done);
    };
    await expect(drain()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', exitCode: 69 });
    await noBackends();
    await session.close();
  });

  it('returning early frees all backends', async () => {
    const session = await postgresql.connect(db.env, testContext({ parallelRanges: 3 }));
    await session.list();
    const [table] = await session.describe(['grande']);
    const chunks = session.read(selectionOf(table!))[Symbol.asyncIterator]();
    await chunks.next();
    await connectionsReach(3);
    await chunks.return!();
    await noBackends();
    await session.close();
  });

  it('who wants to alter the table waits for the run, and the run does not wait for him', async () => {
    const session = await postgresql.connect(db.env, testContext({ parallelRanges: 3 }));
    await session.list();
    const [table] = await session.describe(['grande']);
    const alterer = new Client(connection(db));
    await alterer.connect();
    const pieces: CsvChunk[] = [];
    let altered: Promise<unknown> = Promise.resolve();
    for await (const chunk of session.read(selectionOf(table!))) {
      if (pieces.length === 0) {
        // In line behind our first connection; whichever of ours comes later stands behind it.
        altered = alterer.query('ALTER TABLE grande ADD COLUMN nueva int').catch((error) => error);
        await sleep(200);
      }
      pieces.push(chunk);
    }
    expect(pieces.reduce((sum, { rows }) => sum + rows, 0)).toBe(ROWS * 0.9);
    // The lock is gone with the table, not with the session.
    expect(await altered).not.toBeInstanceOf(Error);
    await session.close();
    await alterer.end();
    await db.admin.query('ALTER TABLE grande DROP COLUMN nueva');
  });

  it('TRUNCATE between the snapshot and the reading is noticed over several connections too', async () => {
    await db.admin.query('CREATE TABLE vaciada AS SELECT * FROM partes; ANALYZE vaciada');
    const session = await postgresql.connect(db.env, testContext({ parallelRanges: 3 }));
    await session.list();
    const [table] = await session.describe(['vaciada']);
    await db.admin.query('TRUNCATE vaciada');
    const drain = async () => {
      for await (const chunk of session.read(selectionOf(table!))) expect(chunk.rows).toBe(0);
    };
    await expect(drain()).rejects.toMatchObject({ exitCode: 75 });
    await session.close();
  });

  it('a table without statistics is measured', async () => {
    await db.admin.query(
      'CREATE TABLE nueva (LIKE partes) WITH (autovacuum_enabled = off); INSERT INTO nueva SELECT * FROM partes',
    );
    const session = await postgresql.connect(db.env, testContext({ parallelRanges: 2 }));
    await session.list();
    const [table] = await session.describe(['nueva']);
    const chunks = session.read(selectionOf(table!))[Symbol.asyncIterator]();
    await chunks.next();
    await connectionsReach(2);
    let rows = 0;
    for (let step = await chunks.next(); !step.done; step = await chunks.next()) rows += step.value.rows;
    expect(rows).toBeGreaterThan(ROWS * 0.95);
    await session.close();
  });
});

const connection = (db: TestDatabase) => ({
  host: db.env.POSTGRES_HOST!,
  port: Number(db.env.POSTGRES_PORT),
  user: db.env.POSTGRES_USER!,
  password: db.env.POSTGRES_PASSWORD!,
  database: db.name,
});
