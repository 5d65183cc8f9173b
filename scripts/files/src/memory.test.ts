import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Delivery, newDelivery } from './testing/delivery';

const BYTES = 300 * 2 ** 20;
const MOST_GROWTH = 80 * 2 ** 20;

describe('the memory of a session over files', () => {
  let delivery: Delivery;
  beforeAll(() => {
    delivery = newDelivery();
  });
  afterAll(() => delivery.remove());

  it.each([
    ['t.csv', 'id,fecha,texto\n', 'prod001,2024-03-01,"some ""text"", in quotes"\n'],
    ['t.jsonl', '', '{"id":"prod001","cantidad":12,"detalle":{"a":[1,2,3],"b":"x"}}\n'],
  ])(
    'stays flat over %s of 300 MB',
    async (path, header, row) => {
      delivery.clear();
      const block = row.repeat(Math.floor(2 ** 20 / row.length));
      const file = openSync(join(delivery.folder, path), 'w');
      let rows = 0;
      writeSync(file, header);
      for (let bytes = 0; bytes < BYTES; bytes += block.length) {
        writeSync(file, block);
        rows += block.length / row.length;
      }
      closeSync(file);

      const before = process.memoryUsage().rss;
      let most = 0;
      let read = 0;
      const { session, select } = await delivery.open();
      for await (const chunk of session.read(select('t'))) {
        read += chunk.rows;
        most = Math.max(most, process.memoryUsage().rss - before);
      }
      expect(read).toBe(rows);
      expect(most).toBeLessThan(MOST_GROWTH);
    },
    240_000,
  );
});
