import type { SourceSession, TableSelection } from '@ingesta/kit';
import { describeWith } from '../../../test/services/need';
import { parseCsv } from '../../kit/src/testing/parse-csv';
import { createTestDatabase, type TestDatabase } from './testing/test-database';

describeWith(['mysql'], 'a MySQL dataset', () => {
  let db: TestDatabase;
  let session: SourceSession;
  let opened: Awaited<ReturnType<TestDatabase['open']>>;
  beforeAll(async () => {
    db = await createTestDatabase();
    await db.admin.query(`CREATE TABLE users (id BIGINT UNSIGNED NOT NULL, nombre VARCHAR(30), password VARCHAR(30), saldo DECIMAL(12,3),
        peso FLOAT, foto VARBINARY(9), alta DATETIME(3), visto TIMESTAMP NULL, bits BIT(9), datos JSON, tipo ENUM('a','b'));
      INSERT INTO users VALUES (18446744073709551615, 'Ana "ñ"', 's3cr3t', 1.500, 0.1, X'00ff', '2024-02-29 01:02:03.004',
        '2024-01-01 00:00:00', b'101', '{"token": 1, "b": 2.50}', 'a')`);
  });
  afterAll(() => db?.drop());
  beforeEach(async () => {
    opened = await db.open();
    session = opened.session;
  });
  afterEach(() => session.close());
  const readAll = async (selection: TableSelection) => parseCsv(await opened.csv(selection)).slice(1);
  const describeText = (text: string) => session.dataset!({ name: 'd', text });

  it('has the columns that the server tells, and values as those of a table', async () => {
    const table = await describeText('SELECT * FROM users -- all of it');
    const types = Object.fromEntries(table.columns.map(({ name, source_type }) => [name, source_type]));
    expect(types).toMatchObject({
      id: 'bigint unsigned',
      nombre: 'varchar(30)',
      saldo: 'decimal(12,3)',
      peso: 'float',
      foto: 'varbinary(9)',
      alta: 'datetime(3)',
      visto: 'timestamp',
      bits: 'bit(9)',
    });
    expect(table.columns[0]).toMatchObject({ logical_type: 'integer', nullable: false });
    const [whole] = await opened.rows('users');
    const isSensitiveKey = (path: readonly string[]) => path.at(-1) === 'token';
    const [row] = await readAll({ table, columns: table.columns, isSensitiveKey });
    expect(row).toEqual(whole!.map((value) => (value?.startsWith('{') ? '{"b":2.50}' : value)));
  });

  it('takes sorting, grouping, common tables and a semicolon', async () => {
    const text = `WITH n AS (SELECT tipo, COUNT(*) AS cuantos, AVG(saldo) AS media FROM users GROUP BY tipo)
      SELECT tipo, cuantos, media FROM n ORDER BY 2 DESC LIMIT 3; -- three; no more
      /* end */ ; # `;
    const table = await describeText(text);
    expect(await readAll({ table, columns: table.columns, isSensitiveKey: () => false })).toEqual([
      ['a', '1', '1.5000000'],
    ]);
  });

  it('looks through views; of what cannot be followed it tells the names in the text', async () => {
    await db.admin.query(`CREATE TABLE claves (id INT, password VARCHAR(30));
      CREATE VIEW v1 AS SELECT id, password AS dato, UPPER(nombre) AS n FROM users;
      CREATE VIEW v2 AS SELECT dato AS otro FROM v1; CREATE ALGORITHM = TEMPTABLE VIEW v3 AS SELECT password AS dato FROM users;
      CREATE VIEW v4 AS SELECT password AS dato FROM users UNION SELECT nombre FROM users`);
    const password = { table: 'users', path: ['password'] };
    await session.list();
    const views = await session.describe(['v1', 'v2', 'v3', 'v4']);
    const origins = Object.fromEntries(views.map(({ name, origins }) => [name, Object.fromEntries(origins!)]));
    const id = { table: 'users', path: ['id'] };
    expect(origins).toEqual({ v1: { id, dato: password }, v2: { otro: password }, v3: { dato: password }, v4: {} });
    expect(views.map(({ unfollowed }) => unfollowed!.includes('password'))).toEqual([false, false, false, true]);

    expect(Object.fromEntries((await describeText('SELECT otro AS x FROM v2')).origins!)).toEqual({ x: password });
    for (const text of [
      'SELECT dato AS x FROM v3',
      'SELECT dato AS x FROM v4',
      'SELECT x FROM (SELECT password AS x FROM users) d',
      'WITH w AS (SELECT password AS x FROM users) SELECT x FROM w',
      'SELECT password AS x FROM users UNION ALL SELECT nombre FROM users',
      'WITH users (x, y) AS (SELECT nombre, password FROM users), u AS (SELECT y AS nombre FROM users) SELECT nombre AS x FROM u',
      'WITH users AS (SELECT password AS nombre FROM users) SELECT nombre AS x FROM users',
      'SELECT nombre AS x FROM (SELECT password AS nombre FROM users) AS `Users`',
      'WITH w (x, y, z) AS (SELECT u.*, 1 FROM claves u) SELECT x FROM w',
      'SELECT id AS x, nombre AS y FROM users UNION ALL SELECT * FROM claves',
    ]) {
      const table = await describeText(text);
      expect(table.origins!.has('x')).toBe(false);
      expect(table.unfollowed).toContain('password');
    }
    const harmless = 'SELECT id, nombre FROM users UNION ALL SELECT count(*), max(id) * 2 FROM claves';
    expect((await describeText(harmless)).unfollowed).not.toContain('password');
    // A table of another database is meant where that is named.
    await db.admin.query(`CREATE DATABASE ${db.name}_otra; CREATE TABLE ${db.name}_otra.avisos (id INT, password INT);
      CREATE TABLE avisos (id INT, t INT)`);
    const union = (table: string) => `SELECT * FROM avisos UNION ALL SELECT * FROM ${table}`;
    expect((await describeText(union('avisos'))).unfollowed).not.toContain('password');
    expect((await describeText(union(`${db.name}_otra.avisos`))).unfollowed).toContain('password');
    await db.admin.query(`DROP DATABASE ${db.name}_otra; DROP TABLE avisos`);
    // An expression is its author's.
    expect((await describeText('SELECT UPPER(nombre) AS n FROM users')).unfollowed).toEqual([]);
    await db.admin.query('DROP VIEW v4; DROP VIEW v3; DROP VIEW v2; DROP VIEW v1; DROP TABLE claves');
  });

  it('says which views it cannot look behind, and reads the text of those that it may see and not follow', async () => {
    const user = `lector_${db.name.slice(-8)}`;
    await db.admin.query(`CREATE VIEW oculta AS SELECT password AS dato FROM users; CREATE VIEW vista AS SELECT password AS dato FROM users;
      CREATE USER ${user} IDENTIFIED BY 'Pw-123456'; GRANT SELECT ON ${db.name}.oculta TO ${user};
      GRANT SELECT, SHOW VIEW ON ${db.name}.vista TO ${user}`);
    try {
      const env = { MYSQL_USER: user, MYSQL_PASSWORD: 'Pw-123456' };
      const reader = await db.open(env, ['oculta', 'vista']);
      expect(reader.select('oculta').table.unfollowed).toEqual([]);
      expect(reader.select('vista').table.unfollowed).toContain('password');
      await reader.session.dataset!({ name: 'd', text: 'SELECT dato AS x FROM oculta UNION SELECT dato FROM oculta' });
      expect(reader.warnings).toEqual([
        expect.stringMatching(/^View .*\.oculta cannot be looked behind.*GRANT SHOW VIEW/),
      ]);
      await reader.session.close();
    } finally {
      await db.admin.query(`DROP USER ${user}; DROP VIEW oculta; DROP VIEW vista`);
    }
  });

  it('tells which columns are a password under another name, and asks for the selected ones alone', async () => {
    const table = await describeText('SELECT id, u.password AS p, UPPER(nombre) AS n FROM users u');
    expect(table.origins?.get('p')).toEqual({ table: 'users', path: ['password'] });
    expect(table.origins?.has('n')).toBe(false);
    const columns = table.columns.filter(({ name }) => name === 'n');
    expect(await readAll({ table, columns, isSensitiveKey: () => false })).toEqual([['ANA "Ñ"']]);
  });

  it.each([
    ['several statements', 'SELECT 1 AS a; SELECT 2 AS b'],
    ['a write', 'INSERT INTO users (id) VALUES (1)'],
    ['a definition', 'DROP TABLE users'],
    ['a write behind a bracket', 'SELECT 1 AS a) AS x; DROP TABLE users; SELECT (1'],
    ['a file', "SELECT id INTO OUTFILE '/tmp/ingesta-x' FROM users"],
    ['a lock', 'SELECT id FROM users FOR UPDATE'],
    ['a shared lock', 'SELECT id FROM users LOCK IN SHARE MODE'],
    ['placeholders', 'SELECT id FROM users WHERE id = ?'],
    ['a column twice', 'SELECT id, id FROM users'],
    ['what does not exist', 'SELECT id FROM nobody'],
    ['no SQL', 'ofertas del mes'],
    ['nothing', ' ; '],
    ['a statement that only shows', 'SHOW TABLES'],
  ])('is refused for %s', async (_, text) => {
    await expect(describeText(text)).rejects.toMatchObject({
      exitCode: 64,
      code: 'SOURCE_CONFIG',
      message: expect.stringMatching(/^Dataset d: ./),
    });
  });

  it('may speak of locks in its texts', async () => {
    await expect(
      describeText("SELECT 'for update' AS a, id AS `for share` FROM users /* for update */"),
    ).resolves.toBeDefined();
  });
});
