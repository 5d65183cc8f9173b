import { describeWith } from '../../../test/services/need';
import { createTestDatabase, type TestDatabase } from './testing/test-database';

const TABLES = 10_000;
const PER_STATEMENT = 500;
/** The server makes and drops each table on its own. */
const PATIENCE_MS = 300_000;

describeWith(['mysql'], 'a MySQL database of ten thousand tables', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
    // One small file each.
    const create = Array.from({ length: TABLES }, (_, i) => `CREATE TABLE t${i} (id INT) ENGINE=MEMORY`);
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
});
