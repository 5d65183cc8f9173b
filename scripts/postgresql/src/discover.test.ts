import { readFileSync } from 'node:fs';
import { describeWith, pgEnv } from '../../../test/services/need';
import { allTables } from '../../kit/src/testing/all-tables';
import { testContext } from '../../kit/src/testing/test-context';
import { postgresql } from './source';
import { exportTable, readTable, selectionOf, TestDatabase } from './test-database';

describeWith(['postgresql'], 'PostgreSQL: what is found', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  const listed = async (env = db.env) => {
    const session = await postgresql.connect(env, testContext());
    try {
      return await allTables(session);
    } finally {
      await session.close();
    }
  };
  const names = async (env = db.env) => (await listed(env)).map((table) => table.name);

  it('exports names of every kind, and tells schemas apart', async () => {
    const odd = ['con espacio', 'comi"lla', "após'trofe", 'ñandú 🐘', 'MAYUS', 'select', 'a.b', '%s', '$1'];
    const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
    await db.admin.query('CREATE SCHEMA ventas; CREATE SCHEMA "Es.quema"');
    for (const name of odd) {
      await db.admin.query(
        `CREATE TABLE ${quoted(name)} (${quoted(name)} int); INSERT INTO ${quoted(name)} VALUES (7)`,
      );
    }
    await db.admin.query('CREATE TABLE ventas.users (id int); CREATE TABLE "Es.quema".users (id int)');
    const expected = [...odd.filter((name) => name !== 'a.b'), '"a.b"', 'ventas.users', '"Es.quema".users'];
    expect((await names()).sort()).toEqual(expected.sort());
    for (const name of odd) {
      const { csv } = await exportTable(db.env, name === 'a.b' ? '"a.b"' : name);
      expect(csv.toString()).toBe(`${name.includes('"') ? quoted(name) : name}\n7\n`);
    }
  });

  it('takes the first schema of the search path for the default', async () => {
    const other = { ...db.env, POSTGRES_URI: '' };
    await db.admin.query('CREATE TABLE ventas.solo_aqui (id int)');
    await db.admin.query(`ALTER DATABASE ${db.name} SET search_path = ventas`);
    expect(await names(other)).toEqual(expect.arrayContaining(['solo_aqui', 'public.MAYUS']));
    await db.admin.query(`ALTER DATABASE ${db.name} RESET search_path`);
    expect(await names(other)).toContain('ventas.solo_aqui');
  });

  it('lists a partitioned table once, with the rows of all its partitions', async () => {
    await db.admin.query(`
      CREATE TABLE medidas (anio int, v text) PARTITION BY LIST (anio);
      CREATE TABLE medidas_24 PARTITION OF medidas FOR VALUES IN (2024) PARTITION BY HASH (v);
      CREATE TABLE medidas_24_0 PARTITION OF medidas_24 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
      CREATE TABLE medidas_25 PARTITION OF medidas FOR VALUES IN (2025);
      INSERT INTO medidas VALUES (2024, 'a'), (2025, 'b'); ANALYZE medidas`);
    const found = (await listed()).filter((table) => table.name.startsWith('medidas'));
    expect(found.map((table) => [table.name, table.estimatedRows])).toEqual([['medidas', 2]]);
    const { csv, rows } = await exportTable(db.env, 'medidas');
    expect(csv.toString().split('\n').sort()).toEqual(['', '2024,a', '2025,b', 'anio,v']);
    expect(rows).toBe(2);
  });

  it('keeps the rows of tables that inherit from another to themselves, and says which it could not take', async () => {
    const role = `heredero_${db.name}`;
    await db.admin.query(`
      CREATE TABLE ciudades (nombre text, habitantes int); CREATE TABLE capitales (pais text) INHERITS (ciudades);
      INSERT INTO ciudades VALUES ('Cali', 3); INSERT INTO capitales VALUES ('Lima', 10, 'PE');
      CREATE ROLE ${role} LOGIN PASSWORD 'lee'; GRANT SELECT ON ciudades TO ${role}`);
    try {
      const context = testContext();
      const session = await postgresql.connect(db.env, context);
      const all = await allTables(session);
      const csvOf = (name: string) => readTable(session, all.find((table) => table.name === name)!);
      const [parent, child] = [await csvOf('ciudades'), await csvOf('capitales')];
      await session.close();
      expect(parent).toMatchObject({ csv: Buffer.from('nombre,habitantes\nCali,3\n'), rows: 1 });
      expect(context.warnings).toEqual([]);
      await db.admin.query(`
        CREATE TABLE ciudades_copia (nombre text, habitantes text);
        CREATE TABLE capitales_copia (pais text) INHERITS (ciudades_copia)`);
      await db.copyIn('ciudades_copia', parent.csv);
      await db.copyIn('capitales_copia', child.csv);
      const { rows } = await db.admin.query(`SELECT (SELECT sum(habitantes) FROM ciudades)::int AS source,
        (SELECT sum(habitantes::int) FROM ciudades_copia)::int AS copy`);
      expect(rows).toEqual([{ source: 13, copy: 13 }]);
      const other = { ...db.env, POSTGRES_USER: role, POSTGRES_PASSWORD: 'lee' };
      for (const env of [db.env, other]) {
        const alone = await exportTable(env, 'ciudades');
        expect(alone.warnings).toEqual([expect.stringMatching(/ciudades: .*inherit/)]);
      }
    } finally {
      await db.admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('writes the header alone for an empty table', async () => {
    await db.admin.query('CREATE TABLE vacia (id int, "a,b" text)');
    expect(await exportTable(db.env, 'vacia')).toMatchObject({ csv: Buffer.from('id,"a,b"\n'), rows: 0 });
  });

  it('passes over foreign and temporary tables, tables without columns, and materialized views without data', async () => {
    await db.admin.query(`
      CREATE MATERIALIZED VIEW mat_vacia AS SELECT 1 AS x WITH NO DATA; CREATE FOREIGN DATA WRAPPER nada;
      CREATE SERVER otro FOREIGN DATA WRAPPER nada; CREATE FOREIGN TABLE ajena (x int) SERVER otro;
      CREATE TEMPORARY TABLE temporal (x int); CREATE TABLE sin_columnas ()`);
    const there = await names();
    for (const name of ['mat_vacia', 'ajena', 'temporal', 'sin_columnas']) expect(there).not.toContain(name);
  });

  it('takes views and materialized views on demand only, and knows their secrets under other names', async () => {
    await db.admin.query(`
      CREATE TABLE usuarios_v (id int, password text, nombre text); INSERT INTO usuarios_v VALUES (1, 'CLAVE', 'Ana');
      CREATE VIEW vista (id, p, nombre) AS SELECT id, password, nombre FROM usuarios_v;
      CREATE MATERIALIZED VIEW mat AS SELECT nombre, p AS q FROM vista ORDER BY p;`);
    const session = await postgresql.connect(db.env, testContext());
    const onDemand = (await session.list()).filter((table) => table.onDemand).map(({ name }) => name);
    expect(onDemand).toEqual(['mat', 'vista']);
    const [vista, mat] = await session.describe(['vista', 'mat']);
    expect([...vista!.origins!]).toContainEqual(['p', { table: 'usuarios_v', path: ['password'] }]);
    expect([...mat!.origins!]).toContainEqual(['q', { table: 'usuarios_v', path: ['password'] }]);
    expect([vista!.unfollowed, mat!.unfollowed]).toEqual([[], []]);
    await session.close();
    expect((await exportTable(db.env, 'mat')).csv.toString()).toBe('nombre,q\nAna,CLAVE\n');
    expect((await exportTable(db.env, 'vista')).rows).toBe(1);
  });

  it('keeps to the tables and columns that the user may read', async () => {
    const role = `lector_${db.name}`;
    await db.admin.query(`
      CREATE TABLE parcial (id int, visible text, oculta text, muerta int, doble int GENERATED ALWAYS AS (id * 2) STORED);
      ALTER TABLE parcial DROP COLUMN muerta;
      INSERT INTO parcial VALUES (1, 'si', 'no');
      CREATE TABLE prohibida (id int);
      CREATE TABLE p (id int) PARTITION BY RANGE (id);
      CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);
      CREATE ROLE ${role} LOGIN PASSWORD 'lee';
      GRANT SELECT (id, visible, doble) ON parcial TO ${role};
      GRANT SELECT ON p_1 TO ${role};
      GRANT SELECT ON ventas.users TO ${role}`);
    try {
      const env = { ...db.env, POSTGRES_USER: role, POSTGRES_PASSWORD: 'lee' };
      // No USAGE on ventas; of the partitioned table only one partition is readable.
      expect(await names(env)).toEqual(['p_1', 'parcial']);
      expect((await exportTable(env, 'parcial')).csv.toString()).toBe('id,visible,doble\n1,si,2\n');
    } finally {
      await db.admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('warns where row-level security hides rows', async () => {
    const role = `fila_${db.name}`;
    await db.admin.query(`
      CREATE TABLE filas (id int); INSERT INTO filas VALUES (1), (2);
      ALTER TABLE filas ENABLE ROW LEVEL SECURITY; CREATE POLICY una ON filas USING (id = 1);
      CREATE ROLE ${role} LOGIN PASSWORD 'lee'; GRANT SELECT ON filas TO ${role}`);
    try {
      const result = await exportTable({ ...db.env, POSTGRES_USER: role, POSTGRES_PASSWORD: 'lee' }, 'filas');
      expect(result.csv.toString()).toBe('id\n1\n');
      expect(result.warnings).toEqual([expect.stringMatching(/filas.*row-level security/)]);
    } finally {
      await db.admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('never asks for sensitive columns, and drops nested keys', async () => {
    await db.admin.query(`
      CREATE TYPE cuenta AS (usuario text, password text);
      CREATE TABLE secretos_x (id int, password_hash text, datos jsonb, cuentas cuenta[]);
      INSERT INTO secretos_x VALUES
        (1, 'HASH-1', '{"a": [{"token": "T-1", "b": 1.10}], "secret": 2}', ARRAY[ROW('ana', 'CLAVE-1')::cuenta])`);
    const { csv } = await exportTable(db.env, 'secretos_x');
    expect(csv.toString()).toBe('id,datos,cuentas\n1,"{""a"":[{""b"":1.10}]}","[{""usuario"":""ana""}]"\n');
    const { log } = pgEnv();
    if (!log) return;
    const statements = readFileSync(log, 'utf8').match(/SELECT .* FROM ONLY "public"\."secretos_x"/g);
    expect(statements).toEqual(['SELECT "id", "datos", pg_catalog.to_json("cuentas") FROM ONLY "public"."secretos_x"']);
  });

  it('tells source type, logical type and nullability through domains', async () => {
    await db.admin.query(`
      CREATE DOMAIN entero AS int NOT NULL; CREATE DOMAIN pk AS entero; CREATE DOMAIN precio AS money;
      CREATE DOMAIN lista AS int[]; CREATE TYPE estado AS ENUM ('a', 'b'); CREATE TYPE bool2 AS ENUM ('t');
      CREATE TABLE tipada (id pk, n numeric(10,2) NOT NULL, p precio, l lista, e estado, e2 estado[], b bool2,
        c varchar(5), t timestamptz(3), v int2vector)`);
    const table = (await listed()).find((candidate) => candidate.name === 'tipada')!;
    const told = table.columns.map((c) => [c.name, c.source_type, c.logical_type, c.nullable]);
    expect(told).toEqual([
      ['id', 'public.pk', 'integer', false],
      ['n', 'numeric(10,2)', 'decimal', false],
      ['p', 'public.precio', 'decimal', true],
      ['l', 'public.lista', 'json', true],
      ['e', 'public.estado', 'text', true],
      ['e2', 'public.estado[]', 'json', true],
      ['b', 'public.bool2', 'text', true],
      ['c', 'character varying(5)', 'text', true],
      ['t', 'timestamp(3) with time zone', 'timestamptz', true],
      ['v', 'int2vector', 'text', true],
    ]);
    expect(selectionOf(table).columns).toHaveLength(10);
  });
});
