import { describeWith } from '../../../test/services/need';
import { createTestDatabase, type TestDatabase } from './testing/test-database';

describeWith(['mysql'], 'what a MySQL session offers', () => {
  let db: TestDatabase;
  const other = () => `${db.name}_other`;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(async () => {
    await db?.admin.query(`DROP DATABASE IF EXISTS ${other()}`);
    await db?.drop();
  });
  beforeEach(async () => {
    await db.admin.query(`DROP DATABASE ${db.name}; CREATE DATABASE ${db.name} CHARACTER SET utf8mb4;
      DROP DATABASE IF EXISTS ${other()}; CREATE DATABASE ${other()} CHARACTER SET utf8mb4; USE ${db.name}`);
  });

  /** Of our databases only: the server may hold those of other tests. */
  const listed = async (session: Awaited<ReturnType<TestDatabase['open']>>['session']) =>
    (await session.list()).filter(({ name, onDemand }) => !onDemand || !name.includes('.') || name.includes(other()));

  it('takes views and other databases on demand, under names that no two share', async () => {
    await db.admin.query(`CREATE TABLE users (id INT); CREATE VIEW seen AS SELECT * FROM users;
      CREATE TABLE ${other()}.users (id INT, clave INT); INSERT INTO ${other()}.users VALUES (7, 8);
      CREATE TABLE ${other()}.items (id INT); CREATE TABLE \`${other()}.items\` (id INT)`);
    const { session, rows } = await db.open();
    expect((await listed(session)).map(({ name, onDemand }) => ({ name, onDemand }))).toEqual([
      { name: `\`${other()}\`.\`items\``, onDemand: true },
      { name: `${other()}.items`, onDemand: false },
      { name: `${other()}.users`, onDemand: true },
      { name: 'seen', onDemand: true },
      { name: 'users', onDemand: false },
    ]);
    const [users] = await session.describe([`${other()}.users`]);
    expect(users!.columns.map(({ name }) => name)).toEqual(['id', 'clave']);
    await expect(rows('users')).resolves.toEqual([]);
    await session.close();
  });

  it('reads another database and a view in the same snapshot', async () => {
    await db.admin.query(`CREATE TABLE users (id INT, datos JSON); INSERT INTO users VALUES (1, '{"token": 1, "b": 2}');
      CREATE VIEW seen AS SELECT id, datos FROM users; CREATE TABLE ${other()}.pagos (id INT); INSERT INTO ${other()}.pagos VALUES (5)`);
    const { session, read } = await db.open({}, [`${other()}.pagos`, 'seen']);
    await db.admin.query(`INSERT INTO users VALUES (2, NULL); INSERT INTO ${other()}.pagos VALUES (6)`);
    expect(await read(`${other()}.pagos`)).toEqual([['5']]);
    expect(await read('seen', (path) => path.at(-1) === 'token')).toEqual([['1', '{"b":2}']]);
    await session.close();
  });

  it('leaves out what it may not read of another database', async () => {
    const user = `sel_${db.name.slice(-8)}`;
    await db.admin.query(`CREATE TABLE users (id INT); CREATE TABLE ${other()}.pagos (id INT);
      CREATE USER ${user} IDENTIFIED BY 'Pw-123456'; GRANT SELECT ON ${db.name}.* TO ${user};
      GRANT INSERT ON ${other()}.pagos TO ${user}`);
    try {
      const { session } = await db.open({ MYSQL_USER: user, MYSQL_PASSWORD: 'Pw-123456' });
      expect(await session.describe([`${other()}.pagos`])).toEqual([]);
      await session.close();
    } finally {
      await db.admin.query(`DROP USER ${user}`);
    }
  });

  it('exports a thousand columns under awkward names', async () => {
    const names = ['select', 'Ñandú 中', 'a`b', "it's", '"', 'x,y', ' lead', 'UPPER', 'upper_'];
    while (names.length < 1000) names.push(`col ${names.length}`);
    const quoted = names.map((name) => `\`${name.replaceAll('`', '``')}\``);
    await db.admin.query(`CREATE TABLE \`wide table\` (${quoted.map((name) => `${name} INT`).join(', ')});
      INSERT INTO \`wide table\` VALUES (${names.map((_, i) => i).join(', ')})`);
    const { session, tables, rows } = await db.open();
    expect(tables[0]!.columns.map(({ name }) => name)).toEqual(names);
    expect(await rows('wide table')).toEqual([names.map((_, i) => String(i))]);
    await session.close();
  });
});
