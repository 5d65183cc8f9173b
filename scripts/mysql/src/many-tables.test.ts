import { scriptResultSchema } from '@ingesta/kit';
import { describeWith } from '../../../test/services/need';
import { runBundle } from '../../kit/src/testing/run-bundle';
import { createTestDatabase, sourceEnv, type TestDatabase } from './testing/test-database';

const TABLES = 10_000;
const PER_STATEMENT = 500;
/** Eight of them, none of which MEMORY refuses. */
const COLUMNS = 'id INT, a BIGINT, b DECIMAL(10,2), c DATE, d DATETIME(6), e VARCHAR(50), f CHAR(3), g DOUBLE';
/** The server makes and drops each table on its own. */
const PATIENCE_MS = 600_000;

describeWith(['mysql'], 'a MySQL database of ten thousand tables', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
    // One small file each.
    const create = Array.from({ length: TABLES }, (_, i) => `CREATE TABLE t${i} (${COLUMNS}) ENGINE=MEMORY`);
    for (let i = 0; i < TABLES; i += PER_STATEMENT) await db.admin.query(create.slice(i, i + PER_STATEMENT).join(';'));
  }, PATIENCE_MS);
  afterAll(() => db?.drop(), PATIENCE_MS);

  it(
    'is listed and described as any other',
    async () => {
      const { session, tables, rows } = await db.open();
      expect(tables).toHaveLength(TABLES);
      expect((await session.describe(['t9999', 't5'])).map(({ name }) => name)).toEqual(['t9999', 't5']);
      expect(await rows('t777')).toEqual([]);
      await session.close();
    },
    PATIENCE_MS,
  );

  it(
    'is exported by the thousand in little memory',
    async () => {
      // One ninth of them, as each is two files in the lake: PostgreSQL's test takes all 10,000.
      const names = Array.from({ length: TABLES }, (_, i) => `t${i}`).filter((name) => name.startsWith('t9'));
      const insert = names.map((name, i) => `INSERT INTO ${name} (id, e) VALUES (${i}, 'a,b'), (1, NULL)`);
      for (let i = 0; i < insert.length; i += PER_STATEMENT) {
        await db.admin.query(insert.slice(i, i + PER_STATEMENT).join(';'));
      }
      await runBundle('mysql', { ...sourceEnv(db.name), MYSQL_TABLES: 't9*' }, ({ exitCode, output, peakRss }) => {
        expect(exitCode).toBe(0);
        const { result } = scriptResultSchema.parse(output);
        const counted = Object.entries(result).map(([name, { registros, columns }]) => [
          name,
          registros,
          columns.length,
        ]);
        expect(counted).toEqual(names.sort().map((name) => [name, 2, 8]));
        expect(new Set(Object.values(result).map(({ key }) => key)).size).toBe(names.length);
        expect(peakRss / 1e6).toBeLessThan(256);
      });
    },
    PATIENCE_MS,
  );
});
