import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { ManifestEntry } from '@ingesta/kit';
import { givenLake } from '../../../testing/given';
import { givenEngine } from '../testing/given-engine';
import { declared, exportBytes, given } from '../testing/given-table';

const MIB = 1024 * 1024;
const MEMORY_MIB = 128;
/** Node, the libraries, and what DuckDB's reader takes besides its memory. */
const BESIDES_MIB = 500;
const PIECES = 150;
const never = () => new AbortController().signal;

/** 150 MiB of rows, made a piece at a time. */
function* pieces(): Generator<Buffer> {
  yield Buffer.from('id,text,day\n');
  for (let piece = 0; piece < PIECES; piece += 1) {
    const rows: string[] = [];
    for (let bytes = 0, id = piece * 100_000; bytes < MIB; id += 1) {
      const row = `${id},"${createHash('sha256').update(String(id)).digest('base64').repeat(4)}, ""x""",2025-01-02\n`;
      rows.push(row);
      bytes += row.length;
    }
    yield Buffer.from(rows.join(''));
  }
}

(existsSync('/proc/self/status') ? it : it.skip)('turns 150 MiB into a twin within its memory', async () => {
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
    const key = 'mysql/big.csv';
    await lake.lake.create(key, counted(), { contentType: 'text/csv' });
    const entry: ManifestEntry = { ...small, key, bytes, rows: lines - 1, sha256: hash.digest('hex') };
    const big = declared(shape, entry, [{ name: 'id', type: 'bigint' }]);
    const sql = 'SELECT count(*) AS n, sum(id) AS s FROM mysql_big';
    const [result] = await own.engine.query([big], [{ sql, parameters: [] }], never());
    expect(result!.rows[0]![0]).toBe(lines - 1);
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${own.child.pid}/status`, 'utf8'))![1];
    process.stderr.write(`peak of DuckDB's process: ${Math.round(Number(peak) / 1024)} MiB\n`);
    expect(Number(peak) / 1024).toBeLessThan(MEMORY_MIB + BESIDES_MIB);
  } finally {
    await own.close();
    await lake.remove();
  }
});
