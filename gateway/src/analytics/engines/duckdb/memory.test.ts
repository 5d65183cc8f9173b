import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { ManifestEntry } from '@ingesta/kit';
import { givenLake } from '../../../testing/given';
import { givenEngine } from '../testing/given-engine';
import { declared, exportBytes, given } from '../testing/given-table';

const MIB = 1024 * 1024;
const MEMORY_MIB = 256;
/** From one MiB's first id to the next one's. */
const ID_STEP = 100_000;
const CSV_MIB = 800;
/** What the whole process may take: .env.example says so of any DUCKDB_MEMORY_MB. */
const MOST_MIB = MEMORY_MIB + 450;
const never = () => new AbortController().signal;

const words = (id: number) => `${createHash('sha256').update(String(id)).digest('base64').repeat(4)}, ""x""`;
/** Whoever begins to read amid such a text takes it for rows. */
const rowLike = (id: number) => `,""\n${id % 10},`.repeat(100 + (id % 400));

/** The mean row tells nothing of how many there may be in memory. */
const shortThenLong = (id: number) => words(id).repeat(id < ID_STEP * (CSV_MIB / 2) ? 1 : 20);

/** `CSV_MIB` of rows, made a piece at a time. */
function* pieces(text: (id: number) => string): Generator<{ piece: Buffer; rows: number }> {
  yield { piece: Buffer.from('id,text,day\n'), rows: 0 };
  for (let piece = 0; piece < CSV_MIB; piece += 1) {
    const rows: string[] = [];
    for (let bytes = 0, id = piece * ID_STEP; bytes < MIB; id += 1) {
      const row = `${id},"${text(id)}",2025-01-02\n`;
      rows.push(row);
      bytes += row.length;
    }
    yield { piece: Buffer.from(rows.join('')), rows: rows.length };
  }
}

(existsSync('/proc/self/status') ? it : it.skip).each([
  ['words', words],
  ['texts that look like rows', rowLike],
  ['short rows, and then long ones', shortThenLong],
])(
  'turns 800 MiB of %s into a twin without holding them',
  async (_, text) => {
    const lake = await givenLake();
    const own = await givenEngine(lake.env, { memoryMiB: MEMORY_MIB });
    const columns = [given('id', 'integer'), given('text', 'text'), given('day', 'date')];
    const shape = { table: 'big', columns, rows: [] };
    try {
      const hash = createHash('sha256');
      let [bytes, rows] = [0, 0];
      const counted = async function* () {
        for (const { piece, rows: more } of pieces(text)) {
          hash.update(piece);
          bytes += piece.length;
          rows += more;
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
      const entry: ManifestEntry = { ...small, key, bytes, rows, sha256: hash.digest('hex') };
      // Held as a whole it would show.
      expect(bytes).toBeGreaterThan((MOST_MIB + 64) * MIB);
      expect(await ask(entry)).toBe(rows);
      process.stderr.write(`DuckDB's process: ${Math.round(before)} MiB, then ${Math.round(peak())} MiB at most\n`);
      expect(peak()).toBeLessThan(MOST_MIB);
    } finally {
      await own.close();
      await lake.remove();
    }
  },
  300_000,
);
