import { EXIT } from '@ingesta/kit';
import { heldMemory } from '../../../test/held-memory';
import { describeWith } from '../../../test/services/need';
import { freePort } from '../../../test/services/server-process';
import { settled } from '../../../test/settled';
import { allTables } from '../../kit/src/testing/all-tables';
import { expectPatience } from '../../kit/src/testing/expect-patience';
import { testContext } from '../../kit/src/testing/test-context';
import { postgresql } from './source';
import { exportTable, readAll, selectionOf, TestDatabase } from './test-database';

const BIG_ROWS = 200_000;

describeWith(['postgresql'], 'PostgreSQL: what goes wrong', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.admin.query(`
      CREATE TABLE grande AS SELECT i AS id, repeat('x', 1000) AS t FROM generate_series(1, ${BIG_ROWS}) i;
      CREATE TABLE chica AS SELECT 1 AS id`);
  });
  afterAll(() => db.drop());

  const connect = (changes: Record<string, string>) => postgresql.connect({ ...db.env, ...changes }, testContext());
  /** A session whose table `grande` has been begun. */
  async function begun(context = testContext()) {
    const session = await postgresql.connect(db.env, context);
    const table = (await allTables(session)).find(({ name }) => name === 'grande')!;
    const chunks = session.read(selectionOf(table))[Symbol.asyncIterator]();
    await chunks.next();
    return { session, chunks };
  }
  async function until(condition: () => Promise<boolean>) {
    expect(await settled(condition, (seen) => seen)).toBe(true);
  }
  async function expectNoBackends() {
    const seen = await settled(
      () => db.backends(),
      ({ length }) => length === 0,
    );
    expect(seen).toEqual([]);
  }

  it('a wrong password or an unknown user is SOURCE_AUTH, without the password', async () => {
    const error = await connect({ POSTGRES_PASSWORD: 'equivocada-7' }).catch((e) => e);
    expect(error).toMatchObject({ code: 'SOURCE_AUTH', exitCode: EXIT.AUTH });
    expect(`${error.message} ${error.hint}`).not.toContain('equivocada-7');
    await expect(connect({ POSTGRES_USER: 'nadie' })).rejects.toMatchObject({ code: 'SOURCE_AUTH' });
    await expect(connect({ POSTGRES_PASSWORD: '' })).rejects.toMatchObject({ code: 'SOURCE_AUTH' });
  });

  it('a database that does not exist is SOURCE_CONFIG and named', async () => {
    const expected = { code: 'SOURCE_CONFIG', message: expect.stringContaining('no_existe') };
    await expect(connect({ POSTGRES_DB: 'no_existe' })).rejects.toMatchObject(expected);
  });

  it('a closed port and an unknown host are SOURCE_UNAVAILABLE', async () => {
    const expected = { code: 'SOURCE_UNAVAILABLE', exitCode: EXIT.UNAVAILABLE };
    await expect(connect({ POSTGRES_PORT: String(await freePort()) })).rejects.toMatchObject(expected);
    await expect(connect({ POSTGRES_HOST: 'no-such-host.invalid' })).rejects.toMatchObject(expected);
  });

  it('a host that never answers is SOURCE_UNAVAILABLE when the time is over, and abort is quicker', () =>
    expectPatience(postgresql, db.env, 'POSTGRES_', { code: 'SOURCE_UNAVAILABLE' }));

  it('TLS against a server without it is SOURCE_CONFIG', async () => {
    if ((await db.admin.query('SHOW ssl')).rows[0].ssl === 'on') return;
    await expect(connect({ POSTGRES_SSL_MODE: 'require' })).rejects.toMatchObject({ code: 'SOURCE_CONFIG' });
    const missing = { POSTGRES_SSL_MODE: 'verify-full', POSTGRES_SSL_CA: '/no/such.pem' };
    await expect(connect(missing)).rejects.toMatchObject({ code: 'SOURCE_CONFIG' });
  });

  it('reads one snapshot, whatever is inserted meanwhile, table after table', async () => {
    await db.admin.query('CREATE TABLE foto (id int); INSERT INTO foto VALUES (1)');
    const session = await connect({});
    await db.admin.query('INSERT INTO foto VALUES (2); INSERT INTO chica VALUES (2); CREATE TABLE nueva (id int)');
    expect((await readAll(session, 'foto')).csv.toString()).toBe('id\n1\n');
    expect((await readAll(session, 'chica')).csv.toString()).toBe('id\n1\n');
    expect((await allTables(session)).map(({ name }) => name)).not.toContain('nueva');
    expect(session.consistency).toBe('snapshot');
    expect(Math.abs(session.takenAt.getTime() - Date.now())).toBeLessThan(60_000);
    await session.close();
    await session.close();
    await expectNoBackends();
  });

  it('a table or column that vanished after it was listed fails with its name', async () => {
    for (const change of ['DROP TABLE fugaz', 'ALTER TABLE fugaz DROP COLUMN b']) {
      await db.admin.query('CREATE TABLE fugaz (a int, b int)');
      const session = await connect({});
      const table = (await allTables(session)).find(({ name }) => name === 'fugaz')!;
      await db.admin.query(change);
      const read = session.read(selectionOf(table))[Symbol.asyncIterator]().next();
      await expect(read).rejects.toMatchObject({
        code: 'SCRIPT_FAILED',
        message: expect.stringMatching(/fugaz.*does not exist/),
      });
      await session.close();
      await db.admin.query('DROP TABLE IF EXISTS fugaz');
    }
  });

  it.each([
    ['TRUNCATE vaciada', 'CREATE TABLE vaciada AS SELECT 1 AS id'],
    ['TRUNCATE vaciada_1', PARTITIONED()],
    ['ALTER TABLE vaciada DETACH PARTITION vaciada_1', PARTITIONED()],
  ])('%s after the snapshot is no short table but a failure to be tried again', async (change, create) => {
    await db.admin.query(`DROP TABLE IF EXISTS vaciada, vaciada_1; ${create}`);
    const session = await connect({});
    await allTables(session);
    await db.admin.query(change);
    await expect(readAll(session, 'vaciada')).rejects.toMatchObject({ exitCode: EXIT.TEMPORARY });
    await session.close();
  });

  it('TRUNCATE of an heir after the snapshot leaves the table it inherits from whole', async () => {
    await db.admin.query(`CREATE TABLE legado AS SELECT 1 AS id; CREATE TABLE legado_1 () INHERITS (legado);
      INSERT INTO legado_1 VALUES (2)`);
    const session = await connect({});
    await allTables(session);
    await db.admin.query('TRUNCATE legado_1');
    expect((await readAll(session, 'legado')).csv.toString()).toBe('id\n1\n');
    await expect(readAll(session, 'legado_1')).rejects.toMatchObject({ exitCode: EXIT.TEMPORARY });
    await session.close();
  });

  it('a connection killed mid-table is SOURCE_UNAVAILABLE, never a short CSV', async () => {
    const { session, chunks } = await begun();
    const { pid } = (await db.backends())[0]!;
    await db.admin.query('SELECT pg_terminate_backend($1)', [pid]);
    const drain = async () => {
      while (!(await chunks.next()).done);
    };
    await expect(drain()).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringMatching(/grande.*lost mid-way/),
    });
    await expect(readAll(session, 'chica')).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    await session.close();
    await expectNoBackends();
  });

  it('a connection killed between two tables is SOURCE_UNAVAILABLE', async () => {
    const session = await connect({});
    const table = (await allTables(session)).find(({ name }) => name === 'chica')!;
    const { pid } = (await db.backends())[0]!;
    await db.admin.query('SELECT pg_terminate_backend($1)', [pid]);
    await expectNoBackends();
    const read = session.read(selectionOf(table))[Symbol.asyncIterator]().next();
    await expect(read).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    await session.close();
  });

  it('a statement timeout says which setting raises it', async () => {
    const session = await connect({ POSTGRES_STATEMENT_TIMEOUT: '5' });
    const table = (await allTables(session)).find(({ name }) => name === 'grande')!;
    const chunks = session.read(selectionOf(table))[Symbol.asyncIterator]();
    await chunks.next();
    await until(async () => (await db.backends())[0]!.seconds > 5);
    const drain = async () => {
      while (!(await chunks.next()).done);
    };
    await expect(drain()).rejects.toMatchObject({ hint: expect.stringContaining('POSTGRES_STATEMENT_TIMEOUT') });
    await session.close();
  });

  it('asks the server to look for us now and then, except on platforms that cannot', async () => {
    await db.admin.query(
      "CREATE VIEW vigilancia AS SELECT current_setting('client_connection_check_interval') AS cada",
    );
    expect((await exportTable(db.env, 'vigilancia')).csv.toString()).toBe('cada\n2s\n');
    const windows = "'PostgreSQL 17.2 on x86_64-windows, compiled by msvc-19.42.34435, 64-bit'";
    await db.admin.query(`
      ALTER FUNCTION pg_catalog.version() RENAME TO version_here;
      CREATE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql STABLE AS $$ SELECT ${windows} $$`);
    try {
      expect((await exportTable(db.env, 'vigilancia')).csv.toString()).toBe('cada\n0\n');
    } finally {
      await db.admin.query(`
        DROP FUNCTION pg_catalog.version(); ALTER FUNCTION pg_catalog.version_here() RENAME TO version`);
    }
  });

  it('abort frees the backend at once and throws its reason', async () => {
    const context = testContext();
    const { session, chunks } = await begun(context);
    context.controller.abort(new Error('deadline'));
    await expect(chunks.next()).rejects.toThrow('deadline');
    await expectNoBackends();
    await session.close();
  });

  it('returning early frees the backend', async () => {
    const { session, chunks } = await begun();
    await chunks.return!();
    await expectNoBackends();
    await session.close();
  });

  it('closing in the middle of a table frees the backend', async () => {
    const { session } = await begun();
    await session.close();
    await expectNoBackends();
  });

  it('a slow reader holds the server back instead of filling the memory', async () => {
    const before = heldMemory();
    const { session, chunks } = await begun();
    // Blocked on the socket, and not for a moment only: the 200 MB stay where they are.
    let blocked = 0;
    await until(async () => {
      blocked = (await db.backends())[0]?.wait_event === 'ClientWrite' ? blocked + 1 : 0;
      return blocked > 8;
    });
    expect(heldMemory() - before).toBeLessThan(32 * 1024 * 1024);
    let rows = 0;
    for (let step = await chunks.next(); !step.done; step = await chunks.next()) rows += step.value.rows;
    expect(rows).toBeGreaterThan(BIG_ROWS * 0.99);
    await session.close();
  });
});

/** Declared as a function: `it.each` reads it before the constants of this file are there. */
function PARTITIONED(): string {
  return `CREATE TABLE vaciada (id int) PARTITION BY LIST (id);
    CREATE TABLE vaciada_1 PARTITION OF vaciada FOR VALUES IN (1); INSERT INTO vaciada VALUES (1)`;
}
