import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { ManifestEntry } from '@ingesta/kit';
import { givenLake } from '../../../testing/given';
import { givenEngine } from '../testing/given-engine';
import { declared, exportBytes, given } from '../testing/given-table';

const MIB = 1024 * 1024;
const MEMORY_MIB = 256;
const CSV_MIB = 700;
/** What the table may add to a process that has answered once: DuckDB's memory and its reader's buffers, not the file. */
const MOST_MIB = 600;
const never = () => new AbortController().signal;

/** `CSV_MIB` of rows, made a piece at a time. */
function* pieces(): Generator<Buffer> {
  yield Buffer.from('id,text,day\n');
  for (let piece = 0; piece < CSV_MIB; piece += 1) {
    const rows: string[] = [];
    for (let bytes = 0, id = piece * 100_000; bytes < MIB; id += 1) {
      const row = `${id},"${createHash('sha256').update(String(id)).digest('base64').repeat(4)}, ""x""",2025-01-02\n`;
      rows.push(row);
      bytes += row.length;
    }
    yield Buffer.from(rows.join(''));
  }
}

(existsSync('/proc/self/status') ? it : it.skip)(
  'turns 700 MiB into a twin without holding them',
  async () => {
    const lake = await givenLake();
    const own = await givenEngine(lake.env, { memoryMiB: MEMORY_MIB });
    const columns = [given('id', 'integer'), given('text', 'text'), given('day', 'date')];
    const shape = { table: 'big', columns, rows: [] };
    try {
      const hash = createHash('sha256');
      let [bytes, lines] = [0, 0];
      const counted = async function* () {
        for (const piece of pieces()) {
          hash.update(piece);
          bytes += piece.length;
          lines += piece.toString('latin1').split('\n').length - 1;
          yield piece;
        }
      };
      const small = await exportBytes(lake.lake, shape, Buffer.from('id,text,day\n'));
      const declaredAs = [{ name: 'id', type: 'bigint' }];
      const sql = 'SELECT count(*) AS n, sum(id) AS s FROM mysql_big';
      const ask = async (of: ManifestEntry) =>
        (await own.engine.query([declared(shape, of, declaredAs)], [{ sql, parameters: [] }], never()))[0]!.rows[0]![0];
      const peak = () =>
        Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${own.child.pid}/status`, 'utf8'))![1]) / 1024;
      expect(await ask(small)).toBe(0);
      const before = peak();
      const key = 'mysql/big.csv';
      await lake.lake.create(key, counted(), { contentType: 'text/csv' });
      const entry: ManifestEntry = { ...small, key, bytes, rows: lines - 1, sha256: hash.digest('hex') };
      expect(bytes).toBeGreaterThan((MOST_MIB + 64) * MIB);
      expect(await ask(entry)).toBe(lines - 1);
      process.stderr.write(`DuckDB's process: ${Math.round(before)} MiB, then ${Math.round(peak())} MiB at most\n`);
      expect(peak() - before).toBeLessThan(MOST_MIB);
    } finally {
      await own.close();
      await lake.remove();
    }
  },
  300_000,
);
