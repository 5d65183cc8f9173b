import { describeWith } from '../../../test/services/need';
import { settled } from '../../../test/settled';
import { createTestKeyspace, type TestKeyspace } from './testing/test-keyspace';

describeWith(['cassandra'], 'what a Cassandra session offers', () => {
  let db: TestKeyspace;
  let other: TestKeyspace;
  beforeAll(async () => {
    db = await createTestKeyspace();
    other = await createTestKeyspace();
    await db.admin.execute('CREATE TABLE users (id int PRIMARY KEY, city text, password text)');
    await db.admin.execute("INSERT INTO users (id, city, password) VALUES (1, 'Lima', 's3cret')");
    await db.admin.execute(`CREATE MATERIALIZED VIEW by_city AS SELECT * FROM users
      WHERE city IS NOT NULL AND id IS NOT NULL PRIMARY KEY (city, id)`);
    await other.admin.execute('CREATE TYPE "Point" (x int, y int)');
    await other.admin.execute('CREATE TABLE "Users" (id int PRIMARY KEY, at frozen<"Point">)');
    await other.admin.execute('INSERT INTO "Users" (id, at) VALUES (7, {x: 1, y: 2})');
  });
  afterAll(async () => {
    await other?.drop();
    await db?.drop();
  });

  it('takes views and other keyspaces on demand, and never what belongs to the server', async () => {
    const { session } = await db.open();
    const listed = await session.list();
    const ours = listed.filter(({ name }) => !name.includes('.') || name.startsWith(other.name));
    expect(new Map(ours.map(({ name, onDemand }) => [name, onDemand]))).toEqual(
      new Map([
        ['by_city', true],
        ['users', false],
        [`${other.name}.Users`, true],
      ]),
    );
    expect(listed.filter(({ name }) => name.startsWith('system'))).toEqual([]);
    await session.close();
  });

  it('reads a view, and a table of another keyspace with its types', async () => {
    const { session, rows, readAll } = await db.open();
    const [table] = await session.describe([`${other.name}.Users`]);
    expect(table).toMatchObject({ name: `${other.name}.Users`, columns: [{ name: 'id' }, { name: 'at' }] });
    const selection = { table: table!, columns: table!.columns, isSensitiveKey: () => false };
    expect(await readAll(selection)).toEqual([['7', '{"x":1,"y":2}']]);
    // The node fills views a moment after their table.
    const filled = await settled(
      () => rows('by_city'),
      ({ length }) => length > 0,
    );
    expect(filled).toEqual([['Lima', '1', 's3cret']]);
    await session.close();
  });

  it('is for the eyes of the role: a view with its table, a keyspace as a whole', async () => {
    const role = `viewer_${db.name.slice(-8)}`;
    await db.admin.execute(`CREATE ROLE ${role} WITH PASSWORD = 'r' AND LOGIN = true`);
    const names = async () => {
      const { session } = await db.open({ CASSANDRA_USER: role, CASSANDRA_PASSWORD: 'r' });
      const listed = await session.list();
      await session.close();
      return listed.map(({ name }) => name);
    };
    expect(await names()).toEqual([]);
    await db.admin.execute(`GRANT SELECT ON users TO ${role}`);
    expect(await names()).toEqual(['by_city', 'users']);
    await db.admin.execute(`REVOKE SELECT ON users FROM ${role}`);
    await db.admin.execute(`GRANT SELECT ON KEYSPACE ${other.name} TO ${role}`);
    expect(await names()).toEqual([`${other.name}.Users`]);
    await db.admin.execute(`GRANT SELECT ON ALL KEYSPACES TO ${role}`);
    expect(await names()).toEqual(expect.arrayContaining(['by_city', 'users', `${other.name}.Users`]));
    await db.admin.execute(`DROP ROLE ${role}`);
  });

  it('is a setting to correct where no node is in the data center that is set', async () => {
    await expect(db.open({ CASSANDRA_LOCAL_DC: 'Madrid' })).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      exitCode: 64,
      message: expect.stringContaining('Madrid'),
      hint: expect.stringContaining('CASSANDRA_LOCAL_DC'),
    });
  });

  it.each([
    ['the second contact point answers', { CASSANDRA_HOST: 'no-such-host.invalid, ::1, 127.0.0.1' }],
    ['the data center is set', { CASSANDRA_LOCAL_DC: 'datacenter1' }],
  ])('is there where %s', async (_, changes) => {
    const { session, rows } = await db.open(changes);
    expect(await rows('users')).toEqual([['1', 'Lima', 's3cret']]);
    await session.close();
  });
});
