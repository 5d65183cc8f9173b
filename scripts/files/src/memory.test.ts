import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { heldMemory } from '../../../test/held-memory';
import { runBundle } from '../../kit/src/testing/run-bundle';
import { type Delivery, newDelivery } from './testing/delivery';

const BYTES = 300 * 2 ** 20;
const MIB = 2 ** 20;
const MOST_GROWTH = 20 * 2 ** 20;

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

      const before = heldMemory();
      let most = 0;
      let read = 0;
      let chunks = 0;
      const { session, select } = await delivery.open();
      for await (const chunk of session.read(select('t'))) {
        read += chunk.rows;
        if (chunks++ % 400 === 399) most = Math.max(most, heldMemory() - before);
      }
      expect(read).toBe(rows);
      expect(most).toBeLessThan(MOST_GROWTH);
    },
    240_000,
  );

  it.each([
    ['a plain field', 't.csv', 'id,texto\n', ['1,', 'x'.repeat(16 * MIB), '\n']],
    ['a field in quotes', 't.csv', 'id,texto\n', ['1,"', 'abcde,\n""'.repeat(2 * MIB), '"\n']],
    ['a text', 't.jsonl', '', ['{"id":1,"texto":"', 'abcdefg,'.repeat(2 * MIB), '"}\n']],
    ['a text of escapes', 't.jsonl', '', ['{"id":1,"texto":"', '\\"'.repeat(8 * MIB), '"}\n']],
    ['an object', 't.jsonl', '', ['{"id":1,"datos":{"a":[""', ',""'.repeat(5 * MIB), ']}}\n']],
  ])('stays under 256 MB with values of 16 MiB: %s of %s', async (_, path, header, row) => {
    delivery.clear();
    delivery.put(path, header + row.join('').repeat(2));
    await runBundle('files', { FILES_PATH: delivery.folder }, ({ exitCode, output, peakRss }) => {
      expect({ exitCode, output }).toMatchObject({ exitCode: 0, output: { result: { t: { registros: 2 } } } });
      if (process.platform === 'linux') expect(peakRss).toBeGreaterThan(16 * MIB);
      expect(peakRss / 1e6).toBeLessThan(256);
    });
  });
});
