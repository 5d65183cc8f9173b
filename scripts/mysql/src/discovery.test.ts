import { readFile } from 'node:fs/promises';
import { describeWith, mysqlEnv } from '../../../test/services/need';
import { settled } from '../../../test/settled';
import { parseCsv } from '../../kit/src/testing/parse-csv';
import { testContext } from '../../kit/src/testing/test-context';
import { mysql } from './source';
import { createTestDatabase, sourceEnv, type TestDatabase } from './testing/test-database';

describeWith(['mysql'], 'a MySQL session', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db?.drop());
  /** Of sessions that work in this database; the administrator's own does not count. */
  const threads = async () => {
    const query = 'SELECT ID FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()';
    return (await db.admin.query(query, [db.name]))[0] as object[];
  };
  beforeEach(async () => {
    await db.admin.query(`DROP DATABASE ${db.name}; CREATE DATABASE ${db.name} CHARACTER SET utf8mb4; USE ${db.name}`);
  });

  it('lists base tables by name, in any case, and no views', async () => {
    await db.admin.query(
      'CREATE TABLE zeta (a INT); CREATE TABLE `Ünï` (a INT); CREATE VIEW seen AS SELECT * FROM zeta',
    );
    const { session, tables } = await db.open();
    expect(tables.map(({ name }) => name)).toEqual(['zeta', 'Ünï']);
    await session.close();
  });

  it('lists tables with history, as they are now, and no sequences', async () => {
    if (!db.isMariaDb) return; // only MariaDB has either
    await db.admin.query(`CREATE TABLE h (a INT) WITH SYSTEM VERSIONING; CREATE SEQUENCE s;
      INSERT INTO h VALUES (1); UPDATE h SET a = 2`);
    const { session, tables, rows } = await db.open();
    expect(tables.map(({ name }) => name)).toEqual(['h']);
    expect(await rows('h')).toEqual([['2']]);
    await session.close();
  });

  it('takes a partitioned table once, with the rows of all its partitions', async () => {
    await db.admin.query(`CREATE TABLE p (a INT) PARTITION BY HASH (a) PARTITIONS 4;
      INSERT INTO p VALUES (0), (1), (2), (3), (4), (5), (6), (7)`);
    const { session, tables, rows } = await db.open();
    expect(tables.map(({ name }) => name)).toEqual(['p']);
    expect((await rows('p')).map(([a]) => Number(a)).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await session.close();
  });

  it('reads one table at a time whatever PARALLEL_TABLES says: no other connection would share its snapshot', async () => {
    await db.admin.query('CREATE TABLE a (a INT); CREATE TABLE b (a INT); INSERT INTO a VALUES (1)');
    const session = await mysql.connect(sourceEnv(db.name), testContext({ parallelTables: 4, parallelRanges: 4 }));
    expect([session.parallelReads, session.consistency]).toEqual([1, 'snapshot']);
    // One that an earlier session has left may take a moment to go.
    expect(await settled(threads, ({ length }) => length === 1)).toHaveLength(1);
    await session.close();
  });

  it('tells engine types, logical types and nullability', async () => {
    await db.admin.query(
      "CREATE TABLE t (a BIGINT UNSIGNED NOT NULL, b DECIMAL(10,2), c JSON, d ENUM('x','y'), e DATETIME(6), f LONGTEXT)",
    );
    const { session, tables } = await db.open();
    expect(tables[0]!.columns).toEqual([
      {
        name: 'a',
        source_type: expect.stringMatching(/^bigint.* unsigned$/),
        logical_type: 'integer',
        nullable: false,
      },
      { name: 'b', source_type: 'decimal(10,2)', logical_type: 'decimal', nullable: true },
      { name: 'c', source_type: 'json', logical_type: 'json', nullable: true },
      { name: 'd', source_type: "enum('x','y')", logical_type: 'text', nullable: true },
      { name: 'e', source_type: 'datetime(6)', logical_type: 'timestamp', nullable: true },
      { name: 'f', source_type: 'longtext', logical_type: 'text', nullable: true },
    ]);
    await session.close();
  });

  it('reads generated and invisible columns', async () => {
    await db.admin.query(
      'CREATE TABLE t (a INT, b INT AS (a * 2) VIRTUAL, c INT INVISIBLE); INSERT INTO t (a, c) VALUES (1, 3)',
    );
    const { session, rows } = await db.open();
    expect(await rows('t')).toEqual([['1', '2', '3']]);
    await session.close();
  });

  it('asks the server for the selected columns alone', async () => {
    await db.admin.query(
      "CREATE TABLE users (id INT, password VARCHAR(20), name VARCHAR(20)); INSERT INTO users VALUES (1, 's3cret', 'Ana')",
    );
    const { session, csv, select } = await db.open();
    expect(await csv(select('users', ['id', 'name']))).toBe('id,name\n1,Ana\n');
    await session.close();
    const { log } = mysqlEnv();
    if (log === undefined) return;
    const selects = (await readFile(log, 'utf8'))
      .split('\n')
      .filter((line) => line.includes(`FROM \`${db.name}\`.\`users\``));
    // Prepared, and executed.
    expect(selects).toHaveLength(2);
    for (const line of selects) {
      expect(line).toContain('SELECT `id`, `name` FROM');
      expect(line).not.toMatch(/password|\*/);
    }
  });

  it('drops sensitive keys inside JSON and compacts it', async () => {
    await db.admin.query(
      `CREATE TABLE t (j JSON); INSERT INTO t VALUES ('{"a": 1, "deep": [{"password": "s3cret", "b": 2}]}')`,
    );
    const { session, csv, select } = await db.open();
    const isSensitiveKey = (path: readonly string[]) => path.at(-1) === 'password';
    expect(await csv(select('t', undefined, isSensitiveKey))).toBe('j\n"{""a"":1,""deep"":[{""b"":2}]}"\n');
    await session.close();
  });

  describe.each([
    ['the database', 'SELECT ON *', true],
    ['its tables', 'SELECT ON j', true],
    ['its columns', 'SELECT (id, plain, wide, eq, free, text) ON j', false],
  ])('with a right to %s', (_, right, seesChecks) => {
    const user = `json_${process.pid}`;
    beforeEach(async () => {
      await db.admin.query(`CREATE USER ${user} IDENTIFIED BY 'Pw-123456'`);
    });
    afterEach(async () => {
      await db.admin.query(`DROP USER ${user}`);
    });

    it('drops sensitive keys inside of whatever is JSON, and touches no other text', async () => {
      if (!db.isMariaDb) return; // MySQL has a type for it
      const json = '{"a": [{"password": "s3cret", "b": 1.50}]}';
      await db.admin.query(
        `CREATE TABLE j (id INT, plain JSON COMMENT 'it''s', wide LONGTEXT CHECK (json_valid(wide) AND length(wide) < 99),
          eq VARCHAR(99) CHECK (json_valid(eq) = 1), free TEXT CHECK (free NOT LIKE '{%' OR json_valid(free)), text TEXT,
          is_json TINYINT AS (json_valid(text)));
        CREATE VIEW seen AS SELECT * FROM j;
        GRANT ${right.replace(/ON \*/, `ON ${db.name}.*`)} TO ${user}`,
      );
      const texts = ['{"a": 1}', ' [oops "password"', '', 'password'];
      await db.admin.query(
        `INSERT INTO j (id, plain, wide, eq, free, text) VALUES (1, ?, ?, ?, ?, NULL),
          ${texts.map((_, i) => `(${i + 2}, '1', '1', '1', ?, ?)`).join(', ')}`,
        [json, `\n${json}`, json, json, ...texts.flatMap((text) => [text, text])],
      );
      const opened = await db.open({ MYSQL_USER: user, MYSQL_PASSWORD: 'Pw-123456' });
      const isSensitiveKey = (path: readonly string[]) => path.at(-1) === 'password';
      const names = ['id', 'plain', 'wide', 'eq', 'free', 'text'];
      const rows = parseCsv(await opened.csv(opened.select('j', names, isSensitiveKey))).slice(1);
      await opened.session.close();
      const clean = '{"a":[{"b":1.50}]}';
      expect(rows).toEqual([
        ['1', clean, clean, clean, clean, null],
        ...texts.map((text, i) => [String(i + 2), '1', '1', '1', text, text]),
      ]);
      const told = opened.tables[0]!.columns.filter(({ name }) => names.includes(name));
      const checked = seesChecks ? 'json' : 'text';
      expect(told.map(({ logical_type }) => logical_type)).toEqual([
        'integer',
        checked,
        checked,
        checked,
        'text',
        'text',
      ]);
    });
  });

  it('does not see what is committed after it connected', async () => {
    await db.admin.query('CREATE TABLE t (a INT); INSERT INTO t VALUES (1)');
    const before = Date.now();
    const { session, rows } = await db.open();
    await db.admin.query('INSERT INTO t VALUES (2)');
    expect(await rows('t')).toEqual([['1']]);
    expect(session.consistency).toBe('snapshot');
    expect(Math.abs(session.takenAt.getTime() - before)).toBeLessThan(60_000);
    await session.close();
  });

  it('does not call it a snapshot once a table outside of transactions was read', async () => {
    await db.admin.query('CREATE TABLE a (a INT); CREATE TABLE b (a INT) ENGINE=MyISAM');
    const { session, rows } = await db.open();
    expect(session.consistency).toBe('per_table');
    await rows('a');
    expect(session.consistency).toBe('snapshot');
    await rows('b');
    expect(session.consistency).toBe('per_table');
    await session.close();
  });

  it('keeps to the tables and columns that the user may select, and says what it could not', async () => {
    const user = `reader_${db.name.slice(-8)}`;
    await db.admin.query(`CREATE TABLE part (id INT, secret_pay INT); CREATE TABLE none (a INT); CREATE TABLE written (a INT);
      INSERT INTO part VALUES (1, 2);
      CREATE USER ${user} IDENTIFIED BY 'Pw-123456'; GRANT SELECT (id), UPDATE (secret_pay) ON ${db.name}.part TO ${user};
      GRANT INSERT ON ${db.name}.written TO ${user}`);
    try {
      const opened = await db.open({ MYSQL_USER: user, MYSQL_PASSWORD: 'Pw-123456' });
      expect(opened.tables.map(({ name }) => name)).toEqual(['part']);
      expect(await opened.rows('part')).toEqual([['1']]);
      expect(opened.warnings).toEqual(['Table part: the user may not select these columns: secret_pay']);
      await opened.session.close();
    } finally {
      await db.admin.query(`DROP USER ${user}`);
    }
  });

  it('leaves no thread behind when it is closed, also twice', async () => {
    const { session } = await db.open();
    await session.close();
    await session.close();
    expect(await settled(threads, ({ length }) => length === 0)).toEqual([]);
  });
});
