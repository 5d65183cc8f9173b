import { join } from 'node:path';
import { FAKE_CHECKER, loadFrom, PackFolder } from '../../testing/given-packs';
import { SqlProblem } from '../engines/engine';
import { loadPacks } from './load-packs';
import { PackError } from './pack-error';

const SCHEMA = ['CREATE TABLE mysql_users (id bigint, state varchar);', 'CREATE TABLE mysql_clients (id bigint);'];
const HEAD = ['-- route: /mysql/analytics/x', '-- summary: X', '-- tables: mysql.users'];
const BODY = ['-- name: total :value', 'SELECT count(*) AS total FROM mysql_users'];

describe('loading packs', () => {
  let folder: PackFolder;
  beforeEach(() => {
    folder = new PackFolder();
    folder.write('mine/schema.sql', ...SCHEMA);
  });
  afterEach(() => folder.remove());

  /** The problems as `<file>:<line>: <message>`, files relative to the folder. */
  const problems = async (): Promise<string[]> => {
    const error = await loadFrom(folder).then(
      () => null,
      (found: unknown) => found,
    );
    if (!(error instanceof PackError)) throw new Error(`no PackError but ${error}`);
    return error.problems.map(({ file, line, message }) => `${file.slice(folder.path.length + 1)}:${line}: ${message}`);
  };

  it('reads routes with their parameters, statements and optional tables', async () => {
    folder.write(
      'mine/sub/users.sql',
      '-- Free text is a comment.',
      ...HEAD,
      '-- description: First line,',
      '-- description: second line.',
      '-- param: months integer 1..36 = 12 How many',
      '-- param: region text 2..30 Which',
      '-- uses: mysql.clients',
      '-- group: users',
      "-- example: state = Lima; other = it's",
      '-- name: a.b :many',
      "SELECT state AS state, ':months' AS text -- :months in a comment",
      'FROM mysql_users WHERE id < :months AND state = :region AND :as_of > CURRENT_DATE;',
      '',
      '-- name: c :value if mysql.clients',
      'SELECT count(*) AS c FROM mysql_clients',
    );
    const [pack] = await loadFrom(folder);
    expect(pack).toMatchObject({ name: 'mine' });
    expect(pack!.routes).toEqual([
      {
        pack: 'mine',
        file: join(folder.path, 'mine/sub/users.sql'),
        path: '/mysql/analytics/x',
        summary: 'X',
        description: 'First line, second line.',
        group: 'users',
        parameters: [
          { name: 'months', type: 'integer', min: 1, max: 36, choices: [], fallback: 12, description: 'How many' },
          { name: 'region', type: 'text', min: 2, max: 30, choices: [], fallback: null, description: 'Which' },
        ],
        tables: [{ database: 'mysql', table: 'users', name: 'mysql_users' }],
        uses: [{ database: 'mysql', table: 'clients', name: 'mysql_clients' }],
        example: { state: 'Lima', other: "it's" },
        statements: [
          expect.objectContaining({
            path: ['a', 'b'],
            kind: 'many',
            binds: ['months', 'region', 'as_of'],
            needs: [],
            sql:
              "SELECT state AS state, ':months' AS text -- :months in a comment\n" +
              'FROM mysql_users WHERE id < CAST(? AS bigint) AND state = CAST(? AS varchar) AND CAST(? AS date) > CURRENT_DATE',
          }),
          expect.objectContaining({
            path: ['c'],
            kind: 'value',
            needs: [expect.objectContaining({ table: 'clients' })],
          }),
        ],
      },
    ]);
  });

  it('gives each statement the tables before it that it reads, also through others, and no field for them', async () => {
    folder.write(
      'mine/a.sql',
      ...HEAD,
      '-- param: n integer 1..9 = 3',
      '-- name: few :table',
      'SELECT id AS id FROM mysql_users WHERE id < :n',
      '-- name: fewer :table',
      'SELECT id AS id FROM few',
      '-- name: unread :table',
      'SELECT 1 AS one',
      ...BODY,
      '-- name: a :many',
      'SELECT fewer.id AS id FROM Fewer',
      '-- name: b :many',
      'SELECT one AS one FROM "unread"',
    );
    const few = {
      name: 'few',
      sql: 'SELECT id AS id FROM mysql_users WHERE id < CAST(? AS bigint)',
      binds: ['n'],
    };
    const [pack] = await loadFrom(folder);
    expect(pack!.routes[0]!.statements).toMatchObject([
      { path: ['total'], shared: [] },
      { path: ['a'], shared: [few, { name: 'fewer', sql: 'SELECT id AS id FROM few', binds: [] }] },
      { path: ['b'], shared: [{ name: 'unread' }] },
    ]);
  });

  it('takes a semicolon at the end of a statement, whatever comments stand behind it', async () => {
    folder.write('mine/a.sql', ...HEAD, BODY[0]!, `${BODY[1]}; -- all`, '', '-- And now; the', '/* rest; */');
    const [pack] = await loadFrom(folder);
    expect(pack!.routes[0]!.statements[0]!.sql).toBe(`${BODY[1]} -- all\n\n-- And now; the\n/* rest; */`);
  });

  it('takes files with a byte order mark and the line ends of Windows', async () => {
    folder.write('mine/schema.sql', `\ufeff${SCHEMA[0]}\r`);
    folder.write('mine/a.sql', ...[`\ufeff${HEAD[0]}`, ...HEAD.slice(1), ...BODY].map((line) => `${line}\r`));
    expect(await loadFrom(folder)).toMatchObject([{ routes: [{ path: '/mysql/analytics/x' }] }]);
  });

  it('takes a table whose name is in quotes for read', async () => {
    folder.write('mine/a.sql', ...HEAD, '-- name: n :value', 'SELECT count(*) AS n FROM "mysql_users"');
    expect(await loadFrom(folder)).toHaveLength(1);
  });

  const defaultOf = async (type: string, given: string) => {
    folder.write('mine/a.sql', ...HEAD, `-- param: x ${type} = ${given}`, ...BODY, 'WHERE id < :x');
    const [pack] = await loadFrom(folder);
    return pack!.routes[0]!.parameters[0]!.fallback;
  };

  it.each([
    ['number', '0.30000000000000004', 0.30000000000000004],
    ['number', '-1.5e-7', -1.5e-7],
    ['number', '1E+21', 1e21],
    ['integer', '-9007199254740991', -9007199254740991],
  ])('takes the %s %s', async (type, given, value) => {
    expect(await defaultOf(type, given)).toBe(value);
  });

  it.each([
    ...['1e400', '.5', '5.', '1e', '+1', '0x10', '1_000', 'NaN', 'Infinity'].map((given) => ['number', given]),
    ...['9007199254740992', '1e3', '1.0', '--1'].map((given) => ['integer', given]),
  ])('does not take for a %s: %s', async (type, given) => {
    await expect(defaultOf(type!, given!)).rejects.toThrow(`the default of x must be a`);
  });

  it('tells of a wrong table once, and not of those who read it', async () => {
    folder.write(
      ...['mine/a.sql', ...HEAD, '-- name: sold :table', 'SELECT id AS id FROM mysql_users WHERE wrong'],
      ...['-- name: n :value', 'SELECT count(*) AS n FROM sold', ...BODY],
    );
    const picky = {
      describe: async (...[tables, statements]: Parameters<typeof FAKE_CHECKER.describe>) => {
        const wrong = statements.findIndex(({ sql, shared = [] }) =>
          [sql, ...shared.map((table) => table.sql)].join().includes('wrong'),
        );
        if (wrong >= 0) throw new SqlProblem(wrong, 'there is no column wrong', null);
        return FAKE_CHECKER.describe(tables, statements);
      },
    };
    const error = await loadFrom(folder, picky).catch((found) => found);
    expect(error.problems).toEqual([expect.objectContaining({ line: 5, message: 'there is no column wrong' })]);
  });

  it('asks no engine about a statement that is known to be wrong, nor about its readers', async () => {
    folder.write(
      ...['mine/a.sql', ...HEAD, '-- name: few :table', 'SELECT id AS id FROM mysql_users WHERE id < :limit'],
      ...['-- name: n :value', 'SELECT count(*) AS n FROM few', '-- name: bad :value', 'SELECT wrong FROM mysql_users'],
    );
    const asked: string[] = [];
    const checker: typeof FAKE_CHECKER = {
      describe: async (_, statements) => {
        asked.push(...statements.map(({ sql }) => sql));
        if (statements.length === 0) return [];
        throw new SqlProblem(0, 'there is no column wrong', null);
      },
    };
    const error = await loadFrom(folder, checker).catch((found) => found);
    expect(error.problems).toMatchObject([
      { line: 5, message: expect.stringMatching(/^unknown parameter :limit/) },
      { line: 9, message: 'there is no column wrong' },
    ]);
    expect(asked).toEqual(['SELECT wrong FROM mysql_users']);
  });

  it('tells all that is wrong, with file and line, at once', async () => {
    folder.write('mine/a.sql', ...HEAD, '-- colour: red', ...BODY);
    folder.write('mine/b.sql', ...HEAD, '-- name: total :value', 'SELECT :nothing AS n FROM mysql_users');
    expect(await problems()).toEqual([
      expect.stringMatching(/^mine\/a\.sql:4: unknown directive "colour"; there are route, summary/),
      expect.stringMatching(/^mine\/b\.sql:5: unknown parameter :nothing; there are as_of/),
      expect.stringMatching(/^mine\/b\.sql:1: \/mysql\/analytics\/x is the route of .*a\.sql already/),
    ]);
  });

  it.each<[string, string[], RegExp]>([
    ['no route', [...HEAD.slice(1), ...BODY], /^null: it has no line like: -- route/],
    ['a route that is none', ['-- route: /Über/x', ...HEAD.slice(1), ...BODY], /^1: "\/Über\/x" is no route/],
    ["a route of the gateway's own", ['-- route: /api/x', ...HEAD.slice(1), ...BODY], /^1: \/api\/x clashes/],
    ['no statement', HEAD, /^null: it has no line like: -- name/],
    ['SQL without a name', [...HEAD, 'SELECT 1'], /^4: SQL must stand behind a line/],
    ['a name without a kind', [...HEAD, '-- name: total', 'SELECT 1'], /^4: a name is like/],
    ['an unknown kind', [...HEAD, '-- name: total :some', 'SELECT 1'], /^4: a name is like/],
    [
      'a table with a point in its name',
      [...HEAD, '-- name: a.b :table', ...BODY.slice(1), ...BODY],
      /^4: ":table" is a plain name/,
    ],
    [
      'a table that nothing reads',
      [...HEAD, '-- name: sold :table', BODY[1]!, ...BODY],
      /^4: no statement behind it reads the table sold/,
    ],
    [
      'a table behind its reader',
      [...HEAD, ...BODY, ', sold', '-- name: sold :table', BODY[1]!],
      /^7: no statement behind it/,
    ],
    [
      'a table of the schema',
      [...HEAD, '-- name: mysql_users :table', 'SELECT 1 AS one', ...BODY],
      /^4: mysql_users is a table of schema/,
    ],
    [
      'recursion over a table',
      [
        ...HEAD,
        '-- name: sold :table',
        BODY[1]!,
        '-- name: a :many',
        'WITH RECURSIVE x AS (SELECT 1) SELECT * FROM sold',
      ],
      /^6: WITH RECURSIVE cannot/,
    ],
    ['two statements of one name', [...HEAD, ...BODY, ...BODY], /^6: the name total stands twice/],
    ['a name inside a figure', [...HEAD, ...BODY, '-- name: total.x :value', BODY[1]!], /^6: total.x and total cannot/],
    ['no SQL', [...HEAD, '-- name: total :value', '-- none'], /^4: no SQL follows/],
    ['two statements', [...HEAD, ...BODY, '; SELECT 2'], /^6: one statement stands behind a name/],
    ['no SELECT', [...HEAD, '-- name: a :many', 'DROP TABLE mysql_users'], /^5: only a SELECT/],
    [
      'a WITH that deletes',
      [...HEAD, '-- name: a :many', 'WITH x AS (SELECT 1)', 'DELETE FROM mysql_users'],
      /^6: only a/,
    ],
    ['an open quote', [...HEAD, '-- name: a :many', 'SELECT', "'x FROM mysql_users"], /^6: ' is never closed/],
    ['a bare placeholder', [...HEAD, ...BODY, 'WHERE id = ?'], /^6: "\?" is no placeholder/],
    ['a cast of one engine', [...HEAD, ...BODY, 'WHERE id::int = 1'], /^6: CAST\(x AS type\)/],
    ['a malformed parameter', [...HEAD, '-- param: months', ...BODY], /^4: a parameter is like/],
    ['a type that is none', [...HEAD, '-- param: n uuid', ...BODY], /^4: parameter n: "uuid" is none of integer/],
    ['a type that every object has', [...HEAD, '-- param: n toString', ...BODY], /^4: parameter n: "toString" is none/],
    ...[
      '1 .. 36 = 12 How many',
      '1.. 36 = 12',
      '= 12 1..36',
      '-1 ..5',
      '2025-01-01 .. = 2',
      '1..36 12 = x',
      '1..36 = 12 = x',
    ].map((words): [string, string[], RegExp] => [
      `a parameter of ${words}`,
      [...HEAD, `-- param: n integer ${words}`, ...BODY],
      /^4: parameter n: a range, without blanks, and a default stand before/,
    ]),
    ['a bad range', [...HEAD, '-- param: n integer 1..x', ...BODY], /^4: parameter n: "1..x" is no range/],
    ['an empty range', [...HEAD, '-- param: n integer 5..1', ...BODY], /^4: parameter n: the range 5..1 is empty/],
    [
      'a default out of range',
      [...HEAD, '-- param: n integer 1..5 = 9', ...BODY],
      /^4: the default of n must be a whole/,
    ],
    [
      'a choice with blanks',
      [...HEAD, '-- param: n choice week| month', ...BODY],
      /^4: parameter n: a choice needs its values/,
    ],
    ['a choice of nothing', [...HEAD, '-- param: n choice', ...BODY], /^4: parameter n: a choice needs its values/],
    ['a parameter that nothing uses', [...HEAD, '-- param: n integer', ...BODY], /^4: no statement uses :n/],
    ['a table that is none', [...HEAD, '-- uses: users', ...BODY], /^4: "users" is no table like/],
    ['a table without columns', [...HEAD, '-- uses: mysql.agents', ...BODY], /^4: schema.sql of the pack declares no/],
    [
      'a table that nothing reads',
      [...HEAD, '-- uses: mysql.clients', ...BODY],
      /^null: no statement reads mysql_clients/,
    ],
    [
      'a table not named',
      [...HEAD, ...BODY, 'JOIN mysql_clients c ON 1 = 1'],
      /^6: mysql_clients is read here; name it/,
    ],
    [
      'a table not named, its name in quotes',
      [...HEAD, ...BODY, 'JOIN "MySQL_clients" c ON 1 = 1'],
      /^6: mysql_clients is read here; name it/,
    ],
    [
      'an optional table without a condition',
      [...HEAD, '-- uses: mysql.clients', ...BODY, 'JOIN mysql_clients c ON 1 = 1'],
      /^7: mysql_clients is read here; it is optional: put "if mysql.clients"/,
    ],
    [
      'a condition on what is no option',
      [...HEAD, '-- name: total :value if mysql.users', BODY[1]!],
      /^4: mysql.users is not/,
    ],
    ['a nameless list', [...HEAD, '-- name: . :many', BODY[1]!], /^4: ":many" needs a name/],
    [
      'two columns as one value',
      [...HEAD, '-- name: a :value', 'SELECT 1 AS a, 2 AS b FROM mysql_users'],
      /^5: ":value" is one/,
    ],
    ['one column as a map', [...HEAD, '-- name: . :map', BODY[1]!], /^5: ":map" is two columns/],
    [
      'a map beside others',
      [...HEAD, '-- name: . :map', 'SELECT 1 AS a, 2 AS b FROM mysql_users', ...BODY],
      /^4: ". :map" is/,
    ],
    [
      'columns of one name',
      [...HEAD, '-- name: a :one', 'SELECT 1 AS a, 2 AS a FROM mysql_users'],
      /^5: two columns are/,
    ],
    [
      'two fields of one name',
      [...HEAD, ...BODY, '-- name: . :one', BODY[1]!],
      /^7: the answer has two fields called total/,
    ],
    [
      'two fields of one name, the columns first',
      [...HEAD, '-- name: . :one', BODY[1]!, '-- name: total.x :many', BODY[1]!],
      /^7: the answer has two fields called total/,
    ],
    ['an example that is none', [...HEAD, '-- example: state', ...BODY], /^4: "state" is not like: state = Lima/],
  ])('refuses a file with %s', async (_, lines, expected) => {
    folder.write('mine/a.sql', ...lines);
    expect((await problems()).map((problem) => problem.replace('mine/a.sql:', ''))).toContainEqual(
      expect.stringMatching(expected),
    );
  });

  it.each<[string, string[], RegExp]>([
    ['SQL of another kind', ['DROP TABLE x;'], /schema\.sql:1: only CREATE TABLE/],
    [
      'a type that one engine knows',
      ['', 'CREATE TABLE a (x jsonb);'],
      /schema\.sql:2: table a: column x: "jsonb" is none/,
    ],
    [
      'too many digits',
      ['CREATE TABLE a (x decimal(39,2));'],
      /schema\.sql:1: table a: column x: decimal\(39,2\) has more/,
    ],
    [
      'a table twice',
      ['CREATE TABLE a (x date);', 'CREATE TABLE A (x date);'],
      /schema\.sql:2: table a is declared twice/,
    ],
    [
      'digits that no engine writes so',
      ['CREATE TABLE a (x decimal(012,2));'],
      /schema\.sql:1: table a: column x: "decimal\(012,2\)" is none/,
    ],
    ['a column twice', ['CREATE TABLE a (x date, X date);'], /column X is declared twice/],
  ])('refuses a schema with %s', async (_, lines, expected) => {
    folder.write('mine/schema.sql', ...SCHEMA, ...lines);
    const [found] = (await problems()).map((problem) =>
      problem.replace(/:(\d+):/, (_, line) => `:${Number(line) - SCHEMA.length}:`),
    );
    expect(found).toMatch(expected);
  });

  it('asks no engine about statements over tables that were not understood, and tells what else is wrong', async () => {
    folder.write('mine/schema.sql', 'CREATE TABLE mysql_users (', '  id int,', '  state text', ');');
    folder.write('mine/a.sql', ...HEAD, '-- colour: red', ...BODY);
    folder.write('other/schema.sql', ...SCHEMA);
    folder.write(
      'other/b.sql',
      '-- route: /b',
      ...HEAD.slice(1),
      '-- name: bad :many',
      'SELECT wrong FROM mysql_users',
    );
    const checker: typeof FAKE_CHECKER = {
      describe: async ([table]) => {
        if (table!.columns.some(({ type }) => type === 'int'))
          throw new Error('mysql_users.id has the unknown type int');
        throw new SqlProblem(0, 'no wrong', null);
      },
    };
    const error = await loadFrom(folder, checker).catch((found) => found);
    expect(error.message).toMatch(
      /4 problem\(s\):\n.*column id: "int" is none.*\n.*column state: .*\n.*mine\/a\.sql:4: unknown.*\n.*b\.sql:5: no wrong/,
    );
  });

  it('refuses what an engine refuses, every statement of it, at the line the engine names', async () => {
    folder.write(
      'mine/a.sql',
      ...HEAD,
      ...BODY,
      '',
      '-- name: bad :many',
      'SELECT id AS id',
      'FROM mysql_users, wrong',
    );
    folder.write(
      'mine/b.sql',
      '-- route: /b',
      ...HEAD.slice(1),
      '-- name: bad :many',
      'SELECT wrong AS n FROM mysql_users',
    );
    const describe = FAKE_CHECKER.describe;
    const checker: typeof FAKE_CHECKER = {
      describe: async (tables, statements) => {
        const bad = statements.findIndex(({ sql }) => sql.includes('wrong'));
        if (bad >= 0) throw new SqlProblem(bad, 'no wrong', statements[bad]!.sql.indexOf('wrong'));
        return describe(tables, statements);
      },
    };
    await expect(loadFrom(folder, checker)).rejects.toMatchObject({
      message: expect.stringMatching(/2 problem\(s\):\n.*a\.sql:9: no wrong\n.*b\.sql:5: no wrong\n.*PACKS=none/),
    });
  });

  describe('from several folders', () => {
    let shipped: PackFolder;
    beforeEach(() => {
      shipped = new PackFolder();
      for (const name of ['one', 'two']) {
        shipped.write(`${name}/schema.sql`, ...SCHEMA);
        shipped.write(`${name}/r.sql`, `-- route: /${name}`, ...HEAD.slice(1), ...BODY);
      }
      folder.write('mine/a.sql', ...HEAD, ...BODY);
    });
    afterEach(() => shipped.remove());
    const load = async (chosen: string[] | null, mounted: string | null = folder.path) =>
      (await loadPacks({ shipped: shipped.path, mounted, chosen }, new Set(), FAKE_CHECKER)).map(({ name }) => name);

    it('takes all that are shipped, or the chosen ones, and all that are mounted', async () => {
      expect(await load(null)).toEqual(['one', 'two', 'mine']);
      expect(await load(['two'])).toEqual(['two', 'mine']);
      expect(await load([])).toEqual(['mine']);
      expect(await load([], null)).toEqual([]);
    });

    it('says which packs there are when another one is chosen', async () => {
      await expect(load(['tow'])).rejects.toThrow(
        'tow: PACKS names it, and there is no such pack; shipped are one, two',
      );
    });

    it('takes no second pack of a name, no file outside of a pack, no pack without a schema, no folder that is none', async () => {
      folder.write('one/schema.sql', ...SCHEMA);
      folder.write('loose.sql', ...HEAD, ...BODY);
      folder.write('bare/a.sql', '-- route: /bare', ...HEAD.slice(1), ...BODY);
      await expect(load(null)).rejects.toMatchObject({
        problems: expect.arrayContaining([
          expect.objectContaining({
            file: join(folder.path, 'one'),
            message: expect.stringContaining('call it differently'),
          }),
          expect.objectContaining({
            file: join(folder.path, 'loose.sql'),
            message: expect.stringContaining('put it into a'),
          }),
          expect.objectContaining({ file: join(folder.path, 'bare'), message: expect.stringContaining('schema.sql') }),
        ]),
      });
      await expect(load(null, '/nonexistent')).rejects.toThrow('/nonexistent: PACKS_DIR names it, and it is no folder');
    });
  });
});
