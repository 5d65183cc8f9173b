import fc from 'fast-check';
import { describeWith } from '../../../test/services/need';
import { quoteName } from './names';
import { randomTable } from './testing/random-schema';
import { asJson, reload } from './testing/reload';
import { createTestKeyspace, type TestKeyspace } from './testing/test-keyspace';

describeWith(['cassandra'], 'any Cassandra table', () => {
  let db: TestKeyspace;
  beforeAll(async () => {
    db = await createTestKeyspace();
  });
  afterAll(() => db?.drop());

  it('comes back equal from its CSV, whatever its schema', async () => {
    let run = 0;
    const tables = fc.constant(null).chain(() => randomTable(`kind_${run++}`));
    await fc.assert(
      fc.asyncProperty(tables, async ({ userTypes, columns, rows }) => {
        const table = `random_${run}`;
        const copy = `copy_${run++}`;
        for (const { name, fields } of userTypes) {
          const list = fields.map((field) => `${quoteName(field.name)} ${field.type}`).join(', ');
          await db.admin.execute(`CREATE TYPE IF NOT EXISTS ${name} (${list})`);
        }
        const list = columns.map(
          ({ name, type, isStatic }) => `${quoteName(name)} ${type}${isStatic ? ' static' : ''}`,
        );
        await db.admin.execute(`CREATE TABLE ${table} (id int, c int, ${list.join(', ')}, PRIMARY KEY (id, c))`);
        const names = columns.map(({ name }) => quoteName(name)).join(', ');
        for (const { id, c, values } of rows) {
          await db.admin.execute(`INSERT INTO ${table} (id, c, ${names}) VALUES (${id}, ${c}, ${values.join(', ')})`);
        }
        const opened = await db.open();
        const described = opened.select(table).columns;
        const found = await opened.rows(table);
        await opened.session.close();
        expect(found).toHaveLength(rows.length);
        const known = new Map(userTypes.map(({ name, fields }) => [name, fields]));
        await reload(db.admin, copy, described, known, found, 'id, c');
        expect(await asJson(db.admin, copy, described)).toEqual(await asJson(db.admin, table, described));
        for (const name of [table, copy]) await db.admin.execute(`DROP TABLE ${name}`);
        for (const { name } of userTypes) await db.admin.execute(`DROP TYPE ${name}`);
      }),
      { numRuns: 15 },
    );
  }, 240_000);

  it('may have a thousand columns', async () => {
    const names = Array.from({ length: 999 }, (_, i) => `Column ${i} "ñ"`);
    const definitions = names.map((name) => `${quoteName(name)} int`).join(', ');
    await db.admin.execute(`CREATE TABLE wide (id int PRIMARY KEY, ${definitions})`);
    const quoted = names.map(quoteName).join(', ');
    for (const id of [1, 2]) {
      await db.admin.execute(
        `INSERT INTO wide (id, ${quoted}) VALUES (${id}, ${names.map((_, i) => id * i).join(', ')})`,
      );
    }
    const opened = await db.open();
    const { columns } = opened.select('wide');
    expect(columns).toHaveLength(1000);
    const rows = await opened.rows('wide');
    await opened.session.close();
    for (const row of rows) {
      expect(row).toEqual(
        columns.map(({ name }) => (name === 'id' ? row[0] : String(Number(row[0]) * names.indexOf(name)))),
      );
    }
    expect(rows.map(([id]) => id).sort()).toEqual(['1', '2']);
  });
});
