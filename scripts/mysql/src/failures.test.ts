import { type AddressInfo, createServer, connect as netConnect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { heldMemory } from '../../../test/held-memory';
import { describeWith } from '../../../test/services/need';
import { settled } from '../../../test/settled';
import { expectPatience } from '../../kit/src/testing/expect-patience';
import { testContext } from '../../kit/src/testing/test-context';
import { queryError } from './server-error';
import { mysql } from './source';
import { createTestDatabase, sourceEnv, type TestDatabase } from './testing/test-database';

/** More than sockets and chunks can hold: a reader that stops early leaves the server in the middle of it. */
const BIG = 'CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT)';
const FILL = 'INSERT INTO big (t) SELECT REPEAT(t, 1) FROM big';
const LOST = { code: 'SOURCE_UNAVAILABLE', exitCode: 69 };

describeWith(['mysql'], 'a MySQL source that fails', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
    await db.admin.query(`${BIG}; INSERT INTO big (t) VALUES (REPEAT('x', 4000))`);
    for (let i = 0; i < 14; i++) await db.admin.query(FILL);
  });
  afterAll(() => db?.drop());

  const connect = (changes: Record<string, string>) =>
    mysql.connect({ ...sourceEnv(db.name), ...changes }, testContext());
  const threads = async (): Promise<{ ID: number; COMMAND: string }[]> => {
    const query = 'SELECT ID, COMMAND FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()';
    return (await db.admin.query(query, [db.name]))[0] as { ID: number; COMMAND: string }[];
  };
  const untilNoThread = async () => {
    expect(await settled(threads, ({ length }) => length === 0)).toEqual([]);
  };

  it('says that the user was refused, without the password', async () => {
    const refusal = connect({ MYSQL_PASSWORD: 'wrong-s3cret' });
    await expect(refusal).rejects.toMatchObject({ code: 'SOURCE_AUTH', exitCode: 77 });
    await expect(refusal).rejects.not.toThrow('wrong-s3cret');
  });

  it('says that the database does not exist', async () => {
    await expect(connect({ MYSQL_DATABASE: 'no_such_database' })).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      exitCode: 64,
    });
  });

  it('says that TLS was asked of a server without it, or encrypts', async () => {
    const outcome = await connect({ MYSQL_SSL_MODE: 'require' }).then(
      (session) => session.close(),
      (error) => error.code,
    );
    expect([undefined, 'SOURCE_CONFIG']).toContain(outcome);
  });

  it('gives up on a closed port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await expect(connect({ MYSQL_HOST: '127.0.0.1', MYSQL_PORT: String(port) })).rejects.toMatchObject(LOST);
  });

  it('gives up on a server that never speaks when its time is over, and at once when aborted', () =>
    expectPatience(mysql, sourceEnv(db.name), 'MYSQL_', LOST));

  it('names the table that was dropped after it was found', async () => {
    await db.admin.query('CREATE TABLE passing (a INT); INSERT INTO passing VALUES (1)');
    const { session, rows } = await db.open();
    await db.admin.query('DROP TABLE passing');
    await expect(rows('passing')).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      message: expect.stringContaining('passing'),
    });
    // The connection outlives a query that failed.
    expect((await rows('big')).length).toBeGreaterThan(10_000);
    await session.close();
  });

  it('names the table that was altered after the snapshot', async () => {
    await db.admin.query('CREATE TABLE altered (a INT); INSERT INTO altered VALUES (1)');
    const { session, rows } = await db.open();
    await db.admin.query('ALTER TABLE altered DROP COLUMN a, ADD COLUMN b INT');
    await expect(rows('altered')).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
    await session.close();
  });

  it.each([
    ['emptied', 'TRUNCATE TABLE remade'],
    ['made anew', 'DROP TABLE remade; CREATE TABLE remade (a INT); INSERT INTO remade VALUES (2)'],
  ])(
    'does not take the rows of a table that was %s after the snapshot for those of the snapshot',
    async (_, change) => {
      await db.admin.query('DROP TABLE IF EXISTS remade; CREATE TABLE remade (a INT); INSERT INTO remade VALUES (1)');
      const { session, rows } = await db.open();
      await db.admin.query(change);
      await expect(rows('remade')).rejects.toMatchObject({
        code: 'SCRIPT_FAILED',
        message: expect.stringContaining('remade'),
      });
      await session.close();
    },
  );

  it.each(['KILL', 'KILL QUERY'])('never ends a table normally after %s', async (kill) => {
    const { session, select } = await db.open();
    let chunks = 0;
    const reading = async () => {
      for await (const _ of session.read(select('big'))) {
        if (chunks++ === 0) {
          const [thread] = await threads();
          await db.admin.query(`${kill} ${thread!.ID}`);
        }
      }
    };
    await expect(reading()).rejects.toMatchObject(LOST);
    await session.close();
    await untilNoThread();
  });

  it('never ends a table normally when the network closes the connection between two packets', async () => {
    const { MYSQL_HOST, MYSQL_PORT } = sourceEnv(db.name);
    const proxy = createServer((client) => {
      const server = netConnect(Number(MYSQL_PORT), MYSQL_HOST!);
      let passed = 0;
      client.on('error', () => {}).pipe(server);
      server.on('error', () => {});
      server.on('data', (data) => {
        passed += data.length;
        if (passed < 5_000_000) client.write(data);
        else {
          client.end();
          server.destroy();
        }
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const port = String((proxy.address() as AddressInfo).port);
    const { session, rows } = await db.open({ MYSQL_HOST: '127.0.0.1', MYSQL_PORT: port });
    await expect(rows('big')).rejects.toMatchObject(LOST);
    await session.close();
    proxy.close();
  });

  it('leaves no prepared statement on the server, and says what to do where there are too many', async () => {
    const held = async () => {
      const [rows] = await db.admin.query("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'");
      return Number((rows as { Value: string }[])[0]!.Value);
    };
    const tables = Array.from({ length: 60 }, (_, i) => `small_${i}`);
    for (const table of tables) await db.admin.query(`CREATE TABLE ${table} (a INT)`);
    const { session, rows } = await db.open();
    const limit = await held();
    for (const table of tables) await rows(table);
    // Other tests hold some, but never for long.
    expect(await held()).toBeLessThan(limit + tables.length);
    await session.close();
    const error = Object.assign(new Error("Can't create more than max_prepared_stmt_count statements"), {
      errno: 1461,
    });
    expect(queryError(error, 'Table big')).toMatchObject({ ...LOST, hint: expect.stringContaining('raise max_prep') });
  });

  it('frees the server at once when the run is aborted', async () => {
    const { session, select, abort } = await db.open();
    const reason = new Error('the deadline');
    const reading = async () => {
      for await (const _ of session.read(select('big'))) abort.abort(reason);
    };
    await expect(reading()).rejects.toBe(reason);
    await untilNoThread();
    await session.close();
  });

  it('frees the server at once when the reader leaves', async () => {
    const { session, select, rows } = await db.open();
    for await (const _ of session.read(select('big'))) break;
    await untilNoThread();
    await expect(rows('big')).rejects.toMatchObject(LOST);
    await session.close();
  });

  it('holds little of a table whose reader is slow', async () => {
    const { session, select } = await db.open();
    const before = heldMemory();
    let most = 0;
    let chunks = 0;
    for await (const chunk of session.read(select('big'))) {
      if (chunks++ < 20) await sleep(20);
      if (chunks % 50 === 0) most = Math.max(most, heldMemory() - before);
      expect(chunk.data.length).toBeLessThanOrEqual(256 * 1024);
    }
    await session.close();
    expect(chunks).toBeGreaterThan(200);
    expect(most).toBeLessThan(32 * 2 ** 20);
  });

  it('fails over a JSON column that holds no JSON: its keys could not be filtered', async () => {
    if (!db.isMariaDb) return; // MySQL cannot keep such a value
    await db.admin.query(`CREATE TABLE broken (j JSON); SET check_constraint_checks = 0;
      INSERT INTO broken VALUES ('{"password": s3cret'); SET check_constraint_checks = 1`);
    const { session, rows } = await db.open();
    const reading = rows('broken');
    await expect(reading).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
    await expect(reading).rejects.not.toThrow('s3cret');
    await session.close();
  });
});
