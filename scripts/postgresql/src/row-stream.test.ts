import { PassThrough } from 'node:stream';
import type { Connection } from 'pg';
import { RowStream } from './row-stream';

describe('RowStream', () => {
  it.each([
    ['longer than any', [0x44, 0xff, 0xff, 0xff, 0xff]],
    ['shorter than its own length', [0x44, 0, 0, 0, 1]],
  ])('refuses a message that is %s', async (_, bytes) => {
    const stream = new PassThrough();
    const rows = new RowStream('SELECT 1', { row: () => {}, many: () => 0 });
    rows.submit({ stream, query: () => {} } as unknown as Connection);
    stream.write(Buffer.from(bytes));
    await expect(rows.advance()).rejects.toThrow(/not a PostgreSQL message/);
  });
});
