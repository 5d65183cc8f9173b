import type { Lake, ScriptResult, TableResult } from '@ingesta/kit';
import { exportTables, givenJob, givenLake } from '../testing/given';
import { verifyResult } from './verify';

const job = givenJob();

describe('verifyResult', () => {
  let lake: Lake;
  let remove: () => Promise<void>;
  let result: ScriptResult;
  beforeEach(async () => {
    ({ lake, remove } = await givenLake());
    result = await exportTables(lake, job, { users: 'id\n1\n', orders: 'id\n1\n2\n' });
  });
  afterEach(() => remove());

  const users = (change: Partial<TableResult>): ScriptResult => ({
    ...result,
    result: { ...result.result, users: { ...result.result.users!, ...change } },
  });
  const at = (key: string) => users({ key, url: key.includes('..') ? key : lake.urlOf(key) });
  const verify = (claimed: ScriptResult, tables: string[] | null = null) =>
    verifyResult(lake, { ...job, tables }, claimed);
  const rejects = (claimed: ScriptResult, why: string, tables: string[] | null = null) =>
    expect(verify(claimed, tables)).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      message: expect.stringContaining(why),
    });

  it('believes the truth', async () => {
    await verify(result);
    await verify(result, ['users', 'orders']);
  });

  it('does not take nothing for a snapshot', () => rejects({ ...result, result: {} }, 'no table'));

  it('notices an object that does not exist', async () => {
    await rejects(at(`mysql/absent_${job.timestamp}.csv`), 'does not exist');
    await lake.delete(result.result.orders!.key);
    await rejects(result, 'does not exist');
  });

  it('notices a column that must not leave, whatever language the script is in', async () => {
    const columns = [{ name: 'password_hash', source_type: 'text', logical_type: 'text', nullable: true } as const];
    await rejects(users({ columns }), 'password_hash');
    const allowed = { ...job, env: { ...job.env, SENSITIVE_COLUMNS_ALLOW: 'users.password_hash' } };
    await verifyResult(lake, allowed, users({ columns }));
  });

  it('notices an object in the folder of another database, unless a template puts data where it likes', async () => {
    const other = await exportTables(lake, givenJob({ database: 'other' }), { users: 'id\n1\n' });
    const claimed = { ...result, result: other.result };
    await rejects(claimed, 'foreign key');
    const free = { ...job, env: { ...job.env, KEY_TEMPLATE: '{table}_{timestamp}.csv' } };
    await verifyResult(lake, free, claimed);
  });

  it('compares the checksum where both have one', async () => {
    const told = (crc32: string | null): Lake =>
      Object.assign(Object.create(lake), {
        head: async (key: string) => ({ ...(await lake.head(key))!, crc32 }),
        urlOf: (key: string) => lake.urlOf(key),
      });
    const claimed = users({ crc32: 'AAAAAA==' });
    await verifyResult(told('AAAAAA=='), job, claimed);
    await verifyResult(told(null), job, claimed);
    await verifyResult(told('BBBBBB=='), job, result);
    await expect(verifyResult(told('BBBBBB=='), job, claimed)).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
  });

  it('notices another size', () => rejects(users({ bytes: 1 }), 'bytes'));

  it('notices an object of another attempt', async () => {
    const other = await exportTables(lake, givenJob({ nonce: 'other' }), { stale: 'id\n' });
    await rejects({ ...result, result: { ...result.result, ...other.result } }, 'another attempt');
  });

  it('notices an object without any attempt, but cannot ask for one of a plain file in a folder lake', async () => {
    const key = `mysql/users2_${job.timestamp}.csv`;
    async function* body() {
      yield Buffer.from('id\n1\n');
    }
    await lake.create(key, body(), { contentType: 'text/csv' });
    await rejects(at(key), 'another attempt');
    const plain = `mysql/users3_${job.timestamp}.csv`;
    await lake.putIfAbsent(plain, Buffer.from('id\n1\n'));
    await verify(at(plain));
  });

  it.each([
    `_ingesta/runs/mysql/x_${job.timestamp}.csv`,
    'mysql/users_20240101_000000.csv',
    `../users_${job.timestamp}.csv`,
    `mysql/../../users_${job.timestamp}.csv`,
    `/etc/users_${job.timestamp}`,
    `.lake/meta/${job.timestamp}`,
    `mysql//${job.timestamp}`,
    `mysql/${job.timestamp}\n`,
  ])('notices the foreign key %j', (key) => rejects(users({ key }), 'foreign key'));

  it('notices a URL that is not the key’s', () => rejects(users({ url: 's3://elsewhere/users.csv' }), 'URL and key'));

  it('notices two tables in one object', () => {
    const { key, url, bytes } = result.result.orders!;
    return rejects(users({ key, url, bytes }), 'share a key');
  });

  it('notices a table that is missing, and one that nobody asked for', async () => {
    await rejects(result, 'lacks clients', ['users', 'orders', 'clients']);
    await rejects(result, 'nobody asked for orders', ['users']);
  });

  it('takes names that every object has for tables like any other', async () => {
    await rejects(result, 'lacks toString', ['users', 'orders', 'toString']);
  });

  it('checks hundreds of objects', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`t${i}`, 'id\n1\n']));
    const all = await exportTables(lake, job, many);
    await verify(all);
    await lake.delete(all.result.t199!.key);
    await rejects(all, 't199');
  });
});
