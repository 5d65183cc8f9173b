import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeWith } from '../../../test/services/need';
import { testContext } from '../../kit/src/testing/test-context';
import { postgresql } from './source';
import { readTable, TestDatabase } from './test-database';

const PROGRAM = join(__dirname, '../dist/main.js');

describeWith(['postgresql'], 'PostgreSQL: datasets', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.admin.query(`
      CREATE TYPE cuenta AS (usuario text, password text);
      CREATE TABLE usuarios (id int NOT NULL, nombre text, clave text, cuenta cuenta);
      INSERT INTO usuarios VALUES (1, 'Ana', 'S-1', ROW('ana', 'S-2')), (2, NULL, '', NULL);
      CREATE VIEW v AS SELECT id, clave AS c FROM usuarios; CREATE SEQUENCE sec;
      CREATE FUNCTION borra() RETURNS int LANGUAGE sql AS 'DELETE FROM public.usuarios RETURNING id';`);
  });
  afterAll(() => db.drop());

  /** The dataset `d` of this text over a session of its own, and its CSV. */
  async function taken(text: string, env: Record<string, string> = {}) {
    const session = await postgresql.connect({ ...db.env, ...env }, testContext());
    try {
      const table = await session.dataset!({ name: 'd', text });
      return { table, csv: (await readTable(session, table)).csv.toString() };
    } finally {
      await session.close();
    }
  }

  it.each([
    ['SELECT id, nombre FROM usuarios ORDER BY id;  -- all of them; in order\n/* ; */ ', 'id,nombre\n1,Ana\n2,\n'],
    ['WITH w AS (SELECT id FROM usuarios) SELECT id * 1.50 AS n FROM w WHERE id = 1 -- end', 'n\n1.50\n'],
    ["VALUES (1, ';')", 'column1,column2\n1,;\n'],
    ['SELECT true AS b, cuenta FROM usuarios WHERE id = 1', 'b,cuenta\ntrue,"{""usuario"":""ana""}"\n'],
    [
      'SELECT u AS u, array_agg(u.id) AS l FROM (SELECT id, clave FROM usuarios) u WHERE id = 1 GROUP BY u',
      'u,l\n"{""id"":1}",[1]\n',
    ],
    ['SELECT id FROM usuarios WHERE false', 'id\n'],
  ])('takes %j', async (text, csv) => {
    expect((await taken(text)).csv).toBe(csv);
  });

  it('tells types, and which columns are plain ones of a table, also behind views and subqueries', async () => {
    const { table } = await taken(
      'SELECT s.c AS uno, u.clave AS dos, upper(u.clave) AS tres, u.id FROM usuarios u JOIN (SELECT * FROM v) s USING (id)',
    );
    expect(table.columns).toEqual([
      { name: 'uno', source_type: 'text', logical_type: 'text', nullable: true },
      { name: 'dos', source_type: 'text', logical_type: 'text', nullable: true },
      { name: 'tres', source_type: 'text', logical_type: 'text', nullable: true },
      { name: 'id', source_type: 'integer', logical_type: 'integer', nullable: true },
    ]);
    const clave = { table: 'usuarios', path: ['clave'] };
    const id = { table: 'usuarios', path: ['id'] };
    expect(Object.fromEntries(table.origins!)).toEqual({ uno: clave, dos: clave, id });
    expect(table.unfollowed).toEqual([]);
  });

  it('tells the names in a text where the server tells no origin: that of a UNION, and of a view that is one', async () => {
    await db.admin.query('CREATE TABLE claves (id int, clave text); CREATE TABLE "Claves" (id int, clave text)');
    const union = await taken('SELECT id, clave AS dato FROM usuarios UNION ALL SELECT id, NULL FROM usuarios');
    expect(union.table.origins!.size).toBe(0);
    expect(union.table.unfollowed).toContain('clave');
    await db.admin.query(
      'CREATE VIEW unida AS SELECT id, clave AS dato FROM usuarios UNION SELECT id, clave FROM usuarios',
    );
    for (const text of [
      'SELECT id, nombre FROM usuarios UNION ALL SELECT * FROM claves',
      'SELECT id, nombre FROM usuarios UNION ALL (TABLE "Claves")',
      'SELECT id, nombre FROM usuarios UNION ALL SELECT c.* FROM claves c',
      'SELECT id, c AS dato FROM v UNION ALL SELECT id, nombre FROM usuarios',
    ]) {
      expect((await taken(text)).table.unfollowed).toContain('clave');
    }
    const harmless = 'SELECT id, nombre FROM usuarios UNION ALL SELECT count(*) * 2, max(claves.id)::text FROM claves';
    expect((await taken(harmless)).table.unfollowed).not.toContain('clave');
    const behind = await taken('SELECT u.dato AS otro FROM unida u');
    expect(behind.table.origins!.size).toBe(0);
    expect(behind.table.unfollowed).toContain('clave');
    await db.admin.query('DROP VIEW unida; DROP TABLE claves, "Claves"');
    expect((await taken('SELECT upper(nombre) AS n FROM usuarios')).table.unfollowed).toEqual([]);
  });

  it('looks behind a view also where the one before may not be looked behind', async () => {
    const role = `lector_${db.name}`;
    await db.admin.query(`
      CREATE SCHEMA cerrado; CREATE TABLE cerrado.notas (id int, nota text, clave text);
      CREATE VIEW notas AS SELECT id, nota FROM cerrado.notas;
      CREATE VIEW cerrado.claves AS SELECT id, clave AS c FROM cerrado.notas;
      CREATE VIEW claves AS SELECT id, c AS dato FROM cerrado.claves; CREATE ROLE ${role} LOGIN PASSWORD 'lee';
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
    try {
      const reader = { POSTGRES_USER: role, POSTGRES_PASSWORD: 'lee' };
      const { table } = await taken('SELECT n.nota, v.c AS dato FROM notas n JOIN v USING (id)', reader);
      expect(table.origins!.get('dato')).toEqual({ table: 'usuarios', path: ['clave'] });
      expect(table.unfollowed).not.toContain('clave');
      // What may not be looked behind has a text all the same.
      const closed = (await taken('SELECT dato FROM claves', reader)).table;
      expect([closed.origins!.size, closed.unfollowed!.includes('clave')]).toEqual([0, true]);
      // A table of the same name that the reader may not read is none that a * may stand for.
      await db.admin.query(
        'CREATE TABLE cerrado.anuncios (id int, clave text); CREATE TABLE anuncios (id int, t text)',
      );
      await db.admin.query(`GRANT SELECT ON anuncios, cerrado.anuncios TO ${role}`);
      const union = 'SELECT * FROM anuncios UNION ALL SELECT * FROM anuncios';
      expect((await taken(union, reader)).table.unfollowed).not.toContain('clave');
      expect((await taken(union)).table.unfollowed).toContain('clave');
      await db.admin.query('DROP TABLE anuncios');
    } finally {
      await db.admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}; DROP SCHEMA cerrado CASCADE`);
    }
  });

  it.each([
    ['SELECT 1 AS a; SELECT 2 AS b', /multiple commands/],
    ['SELECT 1 AS a) AS x; DROP TABLE usuarios; SELECT * FROM (SELECT 1 AS b', /syntax error/],
    ['SELECT 1 AS a) AS x, (SELECT 2 AS b', /syntax error/],
    ['DELETE FROM usuarios RETURNING id', /syntax error/],
    ['WITH d AS (DELETE FROM usuarios RETURNING id) SELECT id FROM d', /data-modifying/],
    ['SELECT id INTO copia FROM usuarios', /returns no rows|INTO/],
    ['CREATE TABLE nueva AS SELECT 1 AS a', /returns no rows|syntax error/],
    ['SELECT id FROM usuarios FOR UPDATE', /read-only transaction/],
    ['COPY usuarios TO STDOUT', /returns no rows|syntax error/],
    ['COMMIT', /returns no rows/],
    ['SHOW search_path', /syntax error/],
    ['', /returns no rows/],
    ['-- nothing', /returns no rows/],
    ['SELECT $1::int AS a', /parameter/],
    ['SELECT id FROM usuario', /relation "usuario" does not exist at character 16 \(42P01\)/],
    ['SELECT 1', /column 1 has no name/],
    ['SELECT id, nombre AS id FROM usuarios', /two columns are called id/],
  ])('refuses %j', async (text, message) => {
    await expect(taken(text)).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: expect.stringMatching(new RegExp(`^Dataset d: .*(${message.source})`)),
    });
    expect((await db.admin.query('SELECT count(*)::int AS n FROM usuarios')).rows).toEqual([{ n: 2 }]);
  });

  it.each(["SELECT nextval('sec') AS n", 'SELECT borra() AS n'])(
    'reads %j in a transaction that only reads',
    async (text) => {
      await expect(taken(text)).rejects.toMatchObject({
        message: expect.stringMatching(/read-only|not allowed in a non-volatile/),
      });
      expect((await db.admin.query('SELECT count(*)::int AS n FROM usuarios')).rows).toEqual([{ n: 2 }]);
    },
  );

  it('asks for the selected columns only, and goes on with tables afterwards', async () => {
    const session = await postgresql.connect(db.env, testContext());
    await expect(session.dataset!({ name: 'x', text: 'SELECT 1 / 0' })).rejects.toThrow(/no name/);
    const table = await session.dataset!({ name: 'd', text: 'SELECT id, 1 / (id - id) AS roto FROM usuarios' });
    const pieces: Buffer[] = [];
    const selection = { table, columns: table.columns.slice(0, 1), isSensitiveKey: () => false };
    for await (const { data } of session.read(selection)) pieces.push(data);
    expect(Buffer.concat(pieces).toString()).toBe('id\n1\n2\n');
    expect((await session.list()).map(({ name }) => name)).toContain('usuarios');
    await session.close();
  });

  it('a table truncated after the snapshot is no short dataset', async () => {
    await db.admin.query('CREATE TABLE corta AS SELECT 1 AS id; CREATE VIEW sobre AS SELECT id FROM corta');
    for (const text of ['SELECT id FROM corta', 'SELECT count(*) AS n FROM sobre']) {
      await db.admin.query('TRUNCATE corta; INSERT INTO corta VALUES (1)');
      const session = await postgresql.connect(db.env, testContext());
      const table = await session.dataset!({ name: 'd', text });
      await db.admin.query('TRUNCATE corta');
      await expect(readTable(session, table)).rejects.toMatchObject({ exitCode: 75 });
      await session.close();
    }
  });

  it("the pharmacy's offers: one row per offer and product", async () => {
    await db.admin.query(`
      CREATE TABLE productos (nombre text PRIMARY KEY, tipo text, precio numeric(10,2), stock int, requiere_receta boolean);
      CREATE TABLE ofertas (id int PRIMARY KEY, nombre text, descuento numeric(5,2), fecha_inicio date, fecha_fin date);
      CREATE TABLE oferta_detalles (oferta_id int REFERENCES ofertas, producto_nombre text REFERENCES productos, cantidad int);
      INSERT INTO productos VALUES ('Aspirina', 'analgésico', 10.00, 5, false), ('Codeína', 'opioide', 33.33, 0, true);
      INSERT INTO ofertas VALUES (1, 'Verano', 15.00, '2025-01-01', '2025-03-31'), (2, 'Sin detalle', 5.00, '2025-01-01', NULL);
      INSERT INTO oferta_detalles VALUES (1, 'Aspirina', 2), (1, 'Codeína', 1)`);
    const folder = join(__dirname, '../../../demo/datasets');
    const { csv } = await taken(await readFile(join(folder, 'postgresql/ofertas_completo.sql'), 'utf8'));
    expect(csv).toBe(
      'oferta_id,oferta,descuento,fecha_inicio,fecha_fin,producto,tipo,requiere_receta,cantidad,precio,precio_oferta\n' +
        '1,Verano,15.00,2025-01-01,2025-03-31,Aspirina,analgésico,false,2,10.00,8.50\n' +
        '1,Verano,15.00,2025-01-01,2025-03-31,Codeína,opioide,true,1,33.33,28.33\n' +
        '2,Sin detalle,5.00,2025-01-01,,,,,,,\n',
    );
    const settings = { ...db.env, INGESTA_SOURCE: 'postgresql', DATASETS_DIR: folder, POSTGRES_TABLES: 'productos' };
    const env = { ...settings, PATH: process.env.PATH, LAKE_URL: 'file:///nowhere' };
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, '--dry-run'], { env });
    expect(Object.keys(JSON.parse(stdout).plan)).toEqual(['productos', 'ofertas_completo']);
  });
});
