import { sensitiveRules } from '@ingesta/kit';
import { Client } from 'cassandra-driver';
import { describeWith } from '../../../test/services/need';
import { planTable } from '../../kit/src/run/plan-tables';
import type { Opened } from '../../kit/src/testing/open-session';
import { createTestKeyspace, type TestKeyspace } from './testing/test-keyspace';

const DAYS = 40;
const ENTRIES = 250;

describeWith(['cassandra'], 'a dataset of Cassandra', () => {
  let db: TestKeyspace;
  let opened: Opened;
  beforeAll(async () => {
    db = await createTestKeyspace();
    await db.admin.execute('CREATE TYPE login (name text, password text)');
    await db.admin.execute(`CREATE TABLE people (id int PRIMARY KEY, "Full Name" text, password text, l frozen<login>,
      m map<text, text>, d duration, v vector<float, 2>, many list<frozen<login>>)`);
    const login = "{name: 'ana', password: 's3cret'}";
    await db.admin.execute(`INSERT INTO people (id, "Full Name", password, l, m, d, v, many)
      VALUES (1, 'Ana "ñ"', 's3cret', ${login}, {'token': 's3cret', 'k': 'v'}, 1mo2d, [1.5, -0.5], [${login}])`);
    await db.admin.execute('CREATE TABLE visits (day int, n int, who text, s text static, PRIMARY KEY (day, n))');
    for (let day = 0; day < DAYS; day++) {
      const queries = Array.from({ length: ENTRIES }, (_, n) => ({
        query: 'INSERT INTO visits (day, n, who, s) VALUES (?, ?, ?, ?)',
        params: [day, n, `who, ${n % 7}`, `day ${day}`],
      }));
      await db.admin.batch(queries, { prepare: true, logged: false });
    }
    opened = await db.open({ CASSANDRA_PAGE_SIZE: '1000' });
  }, 60_000);
  afterAll(async () => {
    await opened?.session.close();
    await db?.drop();
  });

  const describeText = (text: string) => opened.session.dataset!({ name: 'd', text });
  const isSensitiveKey = (path: readonly string[]) => /password|token/.test(path.at(-1)!);
  const all = async (text: string) => {
    const table = await describeText(text);
    return opened.readAll({ table, columns: table.columns, isSensitiveKey });
  };

  it('has the columns, types and values of its table', async () => {
    const table = await describeText('SELECT * FROM people -- everybody\n;');
    const plain = opened.select('people');
    expect(table.columns).toEqual(plain.columns.map((column) => ({ ...column, nullable: true })));
    const rows = await opened.readAll({ table, columns: table.columns, isSensitiveKey });
    expect(rows).toEqual(await opened.readAll({ ...plain, isSensitiveKey }));
    expect(table.origins?.get('Full Name')).toEqual({ table: 'people', path: ['Full Name'] });
  });

  it('brings every page, filtered by the server as it says', async () => {
    const rows = await all("SELECT day, n FROM visits WHERE who = 'who, 3' ALLOW FILTERING");
    expect(rows).toHaveLength(DAYS * Array.from({ length: ENTRIES }).filter((_, n) => n % 7 === 3).length);
    expect(await all('SELECT day, n, who FROM visits')).toHaveLength(DAYS * ENTRIES);
    expect(await all('SELECT n FROM visits WHERE day = 3 ORDER BY n DESC LIMIT 2')).toEqual([['249'], ['248']]);
    expect(await all('SELECT DISTINCT day, s FROM visits')).toHaveLength(DAYS);
    expect(await all('SELECT n FROM visits PER PARTITION LIMIT 1')).toEqual(Array(DAYS).fill(['0']));
  });

  it.each([1, 2, 3, 8, 9, 16, 17, 72, 73, 250, 251, 1000, 9_999, 20_000])(
    'brings the first %i rows of a LIMIT, and none of them twice, though its pages grow',
    async (limit) => {
      const rows = await all(`SELECT day, n FROM visits LIMIT ${limit}`);
      expect(rows).toHaveLength(Math.min(limit, DAYS * ENTRIES));
      expect(new Set(rows.map(String)).size).toBe(rows.length);
    },
  );

  it('has a LIMIT of the partition beside its own', async () => {
    const first = await all('SELECT day, n FROM visits PER PARTITION LIMIT 3 LIMIT 33');
    expect(new Set(first.map(String)).size).toBe(33);
    const last = await all('SELECT n FROM visits WHERE day = 3 ORDER BY n DESC LIMIT 20');
    expect(last.map(String)).toEqual(Array.from({ length: 20 }, (_, i) => String(ENTRIES - 1 - i)));
  });

  it('may compute: aggregates, functions, fields, elements', async () => {
    const table = await describeText(`SELECT day, count(*) AS how_many, max(n) AS last FROM visits GROUP BY day`);
    expect(table.columns.map(({ name, source_type }) => [name, source_type])).toEqual([
      ['day', 'int'],
      ['how_many', 'bigint'],
      ['last', 'int'],
    ]);
    const rows = await opened.readAll({ table, columns: table.columns, isSensitiveKey });
    expect(rows).toHaveLength(DAYS);
    expect(new Set(rows.map(([, entries, last]) => `${entries} ${last}`))).toEqual(new Set(['250 249']));
    expect(await all("SELECT l.name AS name, m['k'] AS k, cast(id AS text) AS t, d AS d2, many FROM people")).toEqual([
      ['ana', 'v', '1', '1mo2d', '[{"name":"ana"}]'],
    ]);
  });

  it('tells where a secret under another name comes from, and asks for the selected columns alone', async () => {
    const table = await describeText(
      `SELECT id, password AS p, l.password AS q, m['token'] AS r, max(password) AS s FROM people`,
    );
    expect(Object.fromEntries(table.origins!)).toEqual({
      id: { table: 'people', path: ['id'] },
      p: { table: 'people', path: ['password'] },
      q: { table: 'people', path: ['l', 'password'] },
      r: { table: 'people', path: ['m', 'token'] },
      s: { table: 'people', path: ['password'] },
    });
    const without = { table, columns: table.columns.filter(({ name }) => name === 'id'), isSensitiveKey };
    await expect(opened.readAll(without)).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: expect.stringContaining('column s is computed'),
    });
    const plain = await describeText('SELECT id, password AS p, "Full Name" AS who FROM people');
    const execute = jest.spyOn(Client.prototype, 'execute');
    const columns = plain.columns.filter(({ name }) => name !== 'p');
    expect(await opened.readAll({ table: plain, columns, isSensitiveKey })).toEqual([['1', 'Ana "ñ"']]);
    const asked = execute.mock.calls.map(([query]) => query).join();
    execute.mockRestore();
    expect(asked).toContain('Full Name');
    expect(asked).not.toContain('password');
  });

  it('leaves out what lies behind a sensitive key, whatever stands before or behind it', async () => {
    await db.admin.execute('CREATE TYPE acceso (clave text, dni frozen<login>, nivel int)');
    await db.admin.execute('CREATE TABLE accesos (id int PRIMARY KEY, a frozen<acceso>, m map<text, text>)');
    const acceso = "{clave: 's3cret', dni: {name: 's3cret'}, nivel: 7}";
    await db.admin.execute(`INSERT INTO accesos (id, a, m) VALUES (1, ${acceso}, {'clave': 's3cret', 'k': 'v'})`);
    const text = "SELECT id, a.clave AS c, m['clave'], a.dni.name AS n, a.nivel AS l, m['k'] AS k FROM accesos";
    const plan = planTable(await describeText(text), sensitiveRules('cassandra', { add: 'dni' }));
    expect(await opened.readAll(plan)).toEqual([['1', '7', 'v']]);
    expect(plan.dropped.map(({ reason }) => reason)).toEqual([
      'built-in rule: clave',
      'built-in rule: clave',
      'SENSITIVE_COLUMNS: dni',
    ]);
  });

  it.each([
    ['no SELECT', 'INSERT INTO people (id) VALUES (1)', 'SELECT'],
    ['several statements', 'SELECT id FROM people; SELECT id FROM people', ''],
    ['a write behind it', 'SELECT id FROM people; DROP TABLE people', ''],
    ['nonsense', 'SELECT id FROM people WHERE', ''],
    ['an unknown column', 'SELECT nope FROM people', 'nope'],
    ['an unknown table', 'SELECT id FROM nope', 'nope'],
    ['bind markers', 'SELECT id FROM people WHERE id = ?', 'bind markers'],
    ['two columns of one name', 'SELECT id, password AS id FROM people', 'two columns'],
    ['JSON', 'SELECT JSON * FROM people', 'JSON'],
    ['several columns in one', 'SELECT (text)password, [password, "Full Name"] AS x FROM people', 'several columns'],
    ['the text of a type', 'SELECT toJson(l) AS j FROM people', 'overlooked'],
    ['the values of a map', 'SELECT map_values(m) AS v FROM people', 'overlooked'],
    ["the server's keyspaces", 'SELECT role, salted_hash FROM system_auth.roles', 'keyspace of the server'],
  ])('refuses %s', async (_, text, problem) => {
    const refusal = describeText(text);
    await expect(refusal).rejects.toMatchObject({ code: 'SOURCE_CONFIG', exitCode: 64 });
    await expect(refusal).rejects.toThrow(/^Dataset d: /);
    await expect(refusal).rejects.toThrow(problem);
    expect(await opened.rows('people')).toHaveLength(1);
  });
});
