import { type AddressInfo, createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, concurrent, types } from 'cassandra-driver';
import { heldMemory } from '../../../test/held-memory';
import { describeWith } from '../../../test/services/need';
import { settled } from '../../../test/settled';
import { expectPatience } from '../../kit/src/testing/expect-patience';
import { testContext } from '../../kit/src/testing/test-context';
import { cassandra } from './source';
import { createTestKeyspace, sourceEnv, type TestKeyspace } from './testing/test-keyspace';

const ROWS = 200_000;
/** Deleted rows, and how many of them share a partition: fewer than a node steps over at once. */
const GRAVES = 1_000_000;
const PER_BATCH = 250;
const LOST = { code: 'SOURCE_UNAVAILABLE', exitCode: 69 };

const listen = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return String((server.address() as AddressInfo).port);
};

describeWith(['cassandra'], 'a Cassandra source', () => {
  let db: TestKeyspace;
  beforeAll(async () => {
    db = await createTestKeyspace();
    await db.admin.execute('CREATE TABLE big (id int PRIMARY KEY, t text, password text)');
    const text = 'x'.repeat(100);
    const values = Array.from({ length: ROWS }, (_, id) => [id, text, 's3cret']);
    await concurrent.executeConcurrent(db.admin, 'INSERT INTO big (id, t, password) VALUES (?, ?, ?)', values, {
      concurrencyLevel: 256,
    });
  }, 240_000);
  afterAll(() => db?.drop());

  const connect = (changes: Record<string, string>) =>
    cassandra.connect({ ...sourceEnv(db.name), ...changes }, testContext());

  it('brings each of 200,000 rows once, and never asks for a column that is left out', async () => {
    const execute = jest.spyOn(Client.prototype, 'execute');
    const { session, select, csv } = await db.open();
    const text = await csv(select('big', ['id', 't']));
    await session.close();
    const ids = text
      .split('\n')
      .slice(1, -1)
      .map((line) => Number(line.split(',')[0]));
    expect(ids).toHaveLength(ROWS);
    expect(new Set(ids).size).toBe(ROWS);
    expect(ids.reduce((sum, id) => sum + id, 0)).toBe((ROWS * (ROWS - 1)) / 2);
    const asked = execute.mock.calls.map(([query]) => query).filter((query) => query.includes('big'));
    execute.mockRestore();
    expect(asked.length).toBeGreaterThan(16);
    expect(asked.join()).not.toContain('password');
    expect(text).not.toContain('s3cret');
  });

  it('reads over 1,000,000 deleted rows, which no node reads in one go', async () => {
    await db.admin.execute('CREATE TABLE graves (p int, c int, t text, PRIMARY KEY (p, c))');
    const ids = Array.from({ length: GRAVES / PER_BATCH }, (_, p) => p);
    const dig = async () => {
      for (let p = ids.pop(); p !== undefined; p = ids.pop()) {
        const queries = Array.from({ length: PER_BATCH }, (_, c) => ({
          query: 'DELETE FROM graves WHERE p = ? AND c = ?',
          params: [p, c],
        }));
        await db.admin.batch(queries, { prepare: true, logged: false });
      }
    };
    await Promise.all(Array.from({ length: 8 }, dig));
    const alive = [0, 1, 1234, GRAVES / PER_BATCH - 1];
    for (const p of alive) await db.admin.execute(`INSERT INTO graves (p, c, t) VALUES (${p}, ${PER_BATCH}, 'alive')`);
    // The node gives up where it meets too many of them before a row, whatever the page: so would we.
    const naive = db.admin.execute('SELECT * FROM graves', [], { prepare: true, fetchSize: 1 });
    await expect(naive).rejects.toMatchObject({ code: types.responseErrorCodes.readFailure });
    const { session, rows } = await db.open();
    expect((await rows('graves')).map(([p]) => Number(p)).sort((a, b) => a - b)).toEqual(alive);
    await session.close();
  }, 600_000);

  it('lists what the user may read, and says what it no longer may', async () => {
    const role = `reader_${db.name.slice(-8)}`;
    const login = { CASSANDRA_USER: role, CASSANDRA_PASSWORD: 'r' };
    const names = async () => {
      const { session, tables } = await db.open(login);
      await session.close();
      return tables.map(({ name }) => name);
    };
    await db.admin.execute(`CREATE ROLE ${role} WITH PASSWORD = 'r' AND LOGIN = true`);
    await db.admin.execute(`CREATE ROLE ${role}_all`);
    await db.admin.execute('CREATE TABLE closed (id int PRIMARY KEY)');
    expect(await names()).toEqual([]);
    await db.admin.execute(`GRANT SELECT ON closed TO ${role}`);
    await db.admin.execute(`GRANT MODIFY ON big TO ${role}`);
    expect(await names()).toEqual(['closed']);
    const { session, rows } = await db.open(login);
    await db.admin.execute(`REVOKE SELECT ON closed FROM ${role}`);
    const refusal = { code: 'SOURCE_AUTH', message: expect.stringContaining('closed') };
    // The node remembers grants for two seconds.
    const outcome = () => rows('closed').catch((error) => error);
    expect(await settled(outcome, (seen) => seen instanceof Error)).toMatchObject(refusal);
    await session.close();
    // By way of another role, for all of the keyspace.
    await db.admin.execute(`GRANT SELECT ON KEYSPACE ${db.name} TO ${role}_all`);
    await db.admin.execute(`GRANT ${role}_all TO ${role}`);
    expect(await names()).toEqual(expect.arrayContaining(['big', 'closed']));
    for (const name of [role, `${role}_all`]) await db.admin.execute(`DROP ROLE ${name}`);
  });

  it('gives up on a closed port', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    await expect(connect({ CASSANDRA_HOST: '127.0.0.1', CASSANDRA_PORT: port })).rejects.toMatchObject(LOST);
  });

  it('gives up on a server that does not speak TLS', async () => {
    const failure = connect({ CASSANDRA_SSL_MODE: 'require', CASSANDRA_CONNECT_TIMEOUT: '2' });
    await expect(failure).rejects.toMatchObject({ code: expect.stringMatching(/^SOURCE_(CONFIG|UNAVAILABLE)$/) });
  });

  it('gives up on a server that never speaks when its time is over, and at once when aborted', () =>
    expectPatience(cassandra, sourceEnv(db.name), 'CASSANDRA_', LOST));

  it('names the table that was dropped after it was found', async () => {
    await db.admin.execute('CREATE TABLE passing (a int PRIMARY KEY)');
    const { session, rows } = await db.open();
    await db.admin.execute('DROP TABLE passing');
    await expect(rows('passing')).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      message: expect.stringContaining('passing'),
    });
    // The connection outlives a query that failed.
    expect(await rows('big')).toHaveLength(ROWS);
    await session.close();
  });

  it('never ends a table normally when the network closes the connections', async () => {
    const { CASSANDRA_HOST, CASSANDRA_PORT } = sourceEnv(db.name);
    const clients: Socket[] = [];
    let passed = 0;
    const proxy = createServer((client) => {
      clients.push(client.on('error', () => {}));
      const server = netConnect(Number(CASSANDRA_PORT), CASSANDRA_HOST!);
      client.pipe(server);
      server.on('error', () => {});
      server.on('data', (data) => {
        passed += data.length;
        if (passed < 5_000_000) client.write(data);
        else for (const each of clients) each.destroy();
      });
      client.once('close', () => server.destroy());
    });
    const port = await listen(proxy);
    const { session, rows } = await db.open({ CASSANDRA_HOST: '127.0.0.1', CASSANDRA_PORT: port });
    await expect(rows('big')).rejects.toMatchObject(LOST);
    await session.close();
    proxy.close();
  });

  it('stops at once when the run is aborted', async () => {
    const { session, select, abort } = await db.open();
    const reason = new Error('the deadline');
    const reading = async () => {
      for await (const _ of session.read(select('big'))) abort.abort(reason);
    };
    await expect(reading()).rejects.toBe(reason);
    await session.close();
  });

  it('closes its connections when the reader leaves', async () => {
    const { session, select, rows } = await db.open();
    for await (const _ of session.read(select('big'))) break;
    await expect(rows('big')).rejects.toMatchObject(LOST);
    await session.close();
    await session.close();
  });

  it('holds little of a table whose reader is slow', async () => {
    const { session, select } = await db.open();
    const before = heldMemory();
    let most = 0;
    let chunks = 0;
    for await (const chunk of session.read(select('big'))) {
      if (chunks++ < 40) await sleep(20);
      if (chunks % 25 === 0) most = Math.max(most, heldMemory() - before);
      expect(chunk.data.length).toBeLessThanOrEqual(256 * 1024);
    }
    await session.close();
    expect(chunks).toBeGreaterThan(50);
    expect(most).toBeLessThan(48 * 2 ** 20);
  });
});
