import { sensitiveRules } from '../sensitive/sensitive-rules';
import { exportTable } from './export-table';
import { planTable } from './plan-tables';

it('ends the other tables before the lake has cleared away: what becomes of them then is not told instead', async () => {
  const lost = new Error('the table is gone');
  const failure = new AbortController();
  const stop = { signal: failure.signal, abort: (reason: unknown) => failure.abort(reason) };
  const session = {
    async *read() {
      yield { data: Buffer.from('id\n'), rows: 0 };
      throw lost;
    },
  };
  const lake = {
    urlOf: (key: string) => key,
    create: async (_key: string, body: AsyncIterable<Uint8Array>) => {
      try {
        for await (const _ of body);
      } catch (error) {
        expect(stop.signal.reason).toBe(lost);
        throw error;
      }
      throw new Error('the table was read');
    },
  };
  const planned = planTable({ name: 'users', columns: [], estimatedRows: null }, sensitiveRules('fake', {}));
  const job = { format: 'csv' as const, nonce: 'n' };
  const exported = exportTable(
    session,
    lake,
    job,
    planned,
    'users.csv',
    async () => {},
    () => {},
    stop,
  );
  await expect(exported).rejects.toBe(lost);
});
