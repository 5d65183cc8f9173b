import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { hasQuotedLineBreaks, PIECE_BYTES, RowTooLong, splitCsv } from './split-csv';

const MIB = 1024 * 1024;
const HEADER = 'id,"na\n""me"\n';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingesta-split-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

const store = async (csv: string, isGzip = false) => {
  const path = join(folder, 'csv');
  await writeFile(path, isGzip ? gzipSync(csv) : csv);
  return { path, isGzip };
};

async function split(csv: string, { isGzip = false, maxRowBytes = 64 * MIB } = {}) {
  const { pieces, longestRow } = await splitCsv(await store(csv, isGzip), join(folder, 'pieces'), maxRowBytes);
  const texts: string[] = [];
  for (const { file } of pieces) {
    const bytes = await readFile(file);
    texts.push((isGzip ? gunzipSync(bytes) : bytes).toString());
  }
  return { texts, rows: pieces.map(({ rows }) => rows), longestRow };
}

describe.each([false, true])('compressed: %s', (isGzip) => {
  it.each([
    ['no rows', '', 0, 0],
    ['one row', '1,a\n', 1, 4],
    ['line breaks, quotes and commas within quotes', '1,"\n"",\n"\n2,""\n', 2, 11],
    ['a last row without its line feed', '1,a\n2,bcd', 2, 5],
  ])('of %s it keeps everything', async (_, rows, count, longest) => {
    const whole = { texts: [HEADER + rows], rows: [count], longestRow: Math.max(HEADER.length, longest) };
    expect(await split(HEADER + rows, { isGzip })).toEqual(whole);
  });

  it('takes what has no line feed for the header line', async () => {
    expect(await split('a,b', { isGzip })).toEqual({ texts: ['a,b'], rows: [0], longestRow: 3 });
  });

  it('cuts between rows only, wherever its reads end', async () => {
    // Lengths that share no factor with a read's megabyte; every text begins and ends like a row.
    const row = (n: number) => `${n},"${`,""\n${n},`.repeat(1 + (n % 37) * (n % 1000 === 0 ? 997 : 1))}"\n`;
    const rows = Array.from({ length: 130_000 }, (_, n) => row(n));
    const { texts, rows: counts, longestRow } = await split(HEADER + rows.join(''), { isGzip });
    let first = 0;
    for (const [index, text] of texts.entries()) {
      expect(text === HEADER + rows.slice(first, first + counts[index]!).join('')).toBe(true);
      first += counts[index]!;
    }
    expect(first).toBe(rows.length);
    expect(longestRow).toBe(rows.reduce((longest, { length }) => Math.max(longest, length), 0));
    const sizes = texts.slice(0, -1).map((text) => text.length - HEADER.length);
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.every((size) => size >= PIECE_BYTES && size < PIECE_BYTES + longestRow)).toBe(true);
  });

  it('makes no piece without rows behind one that ends with the file', async () => {
    const row = `${'x'.repeat(1023)}\n`;
    expect((await split(HEADER + row.repeat(PIECE_BYTES / 1024), { isGzip })).rows).toEqual([PIECE_BYTES / 1024]);
  });

  it.each([
    ['nothing', '', false],
    ['no quotes', 'a,b\n1,2\n', false],
    ['quotes', 'a,b\n1,"x,""y"",z"\n2,""\n', false],
    ['a line feed between quoted fields', 'a\n"x,"\n"y,"\n', false],
    ['a line feed in quotes', 'a,b\n1,"x\n"\n', true],
    ['a carriage return in quotes', 'a,b\n1,"\r"\n', true],
    ['one behind megabytes', `a\n${'"x,"\n'.repeat(600_000)}"\n"\n`, true],
    ['none in megabytes', `a\n${'"x,"\n'.repeat(600_000)}x\n`, false],
    ['one across megabytes', `a\n"${'x'.repeat(3 * MIB)}\n"\n`, true],
  ])('sees whether line breaks stand in quotes: %s', async (_, csv, expected) => {
    expect(await hasQuotedLineBreaks(await store(csv, isGzip))).toBe(expected);
  });
});

it.each([3, 100_000])('tells a compressed file that ends too early, after %s bytes', async (bytes) => {
  const csv = await store(`a,b\n${Array.from({ length: 200_000 }, (_, n) => `${n},x\n`).join('')}`, true);
  await truncate(csv.path, bytes);
  await expect(hasQuotedLineBreaks(csv)).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
  await expect(splitCsv(csv, join(folder, 'pieces'), MIB)).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
});

it('allows a row of so many bytes, and none more, wherever it stands', async () => {
  const row = `1,"${'x\n'.repeat(2 * MIB)}"\n`;
  for (const before of ['', 'y\n'.repeat(MIB / 2 - 3)]) {
    const csv = `${HEADER}${before}${row}2,z\n`;
    expect((await split(csv, { maxRowBytes: row.length })).longestRow).toBe(row.length);
    await rm(join(folder, 'pieces'), { recursive: true });
    await expect(split(csv, { maxRowBytes: row.length - 1 })).rejects.toThrow(RowTooLong);
    await rm(join(folder, 'pieces'), { recursive: true });
  }
});

it('holds no row that is longer than was allowed', async () => {
  const csv = `${HEADER}1,"${'x\n'.repeat(2 * MIB)}"\n`;
  await expect(split(csv, { maxRowBytes: MIB })).rejects.toThrow(RowTooLong);
});
