import { FAKE_CHECKER } from '../../testing/given-packs';
import type { DeclaredTable, SqlChecker, Statement } from '../engines/engine';
import { KnownSql, type SqlVerdicts } from './known-sql';

const TABLES: DeclaredTable[] = [{ name: 'mysql_t', columns: [{ name: 'id', type: 'bigint' }] }];
const STATEMENT: Statement = { sql: 'SELECT id AS one FROM mysql_t', parameters: [1] };
const UNASKED: SqlChecker = {
  describe: async () => {
    throw new Error('asked');
  },
};

async function learnt(): Promise<SqlVerdicts> {
  const verdicts: SqlVerdicts = {};
  const learning = new KnownSql({}, FAKE_CHECKER, (question, columns) => {
    verdicts[question] = columns;
  });
  await learning.describe(TABLES, [STATEMENT]);
  return JSON.parse(JSON.stringify(verdicts));
}

it('answers what was asked before without asking', async () => {
  const known = new KnownSql(await learnt(), UNASKED);
  expect(await known.describe(TABLES, [STATEMENT])).toEqual(await FAKE_CHECKER.describe(TABLES, [STATEMENT]));
});

it.each([
  ['the SQL', TABLES, [{ ...STATEMENT, sql: `${STATEMENT.sql} ` }]],
  ['a parameter', TABLES, [{ ...STATEMENT, parameters: ['1'] }]],
  ['a type', [{ name: 'mysql_t', columns: [{ name: 'id', type: 'double' }] }], [STATEMENT]],
  ['the statements', TABLES, [STATEMENT, STATEMENT]],
])('asks again when %s is another', async (_, tables, statements) => {
  const known = new KnownSql(await learnt(), UNASKED);
  await expect(known.describe(tables, statements)).rejects.toThrow('asked');
});
