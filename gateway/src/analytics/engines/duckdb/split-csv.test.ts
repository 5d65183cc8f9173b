import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { PIECE_BYTES, RowTooLong, splitCsv } from './split-csv';

const MIB = 1024 * 1024;
const HEADER = 'id,"na\n""me"\n';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingesta-split-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function split(csv: string, { isGzip = false, maxRowBytes = 64 * MIB } = {}) {
  const path = join(folder, 'csv');
  await writeFile(path, isGzip ? gzipSync(csv) : csv);
  const { header, pieces, longestRow } = await splitCsv({ path, isGzip }, join(folder, 'pieces'), maxRowBytes);
  const read = async (file: string) => {
    const bytes = await readFile(file);
    return (isGzip ? gunzipSync(bytes) : bytes).toString();
  };
  const texts: string[] = [];
  for (const { file } of pieces) texts.push(await read(file));
  return { header: await read(header), texts, rows: pieces.map(({ rows }) => rows), longestRow };
}

it.each([
  ['no rows', HEADER, [''], [0], 0],
  ['one row', `${HEADER}1,a\n`, ['1,a\n'], [1], 4],
  ['line breaks, quotes and commas within quotes', `${HEADER}1,"\n"",\n"\n2,""\n`, ['1,"\n"",\n"\n2,""\n'], [2], 11],
  ['a last row without its line feed', `${HEADER}1,a\n2,bcd`, ['1,a\n2,bcd'], [2], 5],
])('of %s it keeps everything', async (_, csv, texts, rows, longest) => {
  const all = { header: HEADER, texts, rows, longestRow: Math.max(HEADER.length, longest) };
  expect(await split(csv)).toEqual(all);
  expect(await split(csv, { isGzip: true }).catch((error) => error)).toMatchObject({ code: 'EEXIST' });
  await rm(join(folder, 'pieces'), { recursive: true });
  expect(await split(csv, { isGzip: true })).toEqual(all);
});

it('takes what has no line feed for the header line', async () => {
  expect(await split('a,b')).toEqual({ header: 'a,b', texts: [''], rows: [0], longestRow: 3 });
});

it.each([false, true])('cuts between rows only, wherever its reads end, compressed: %s', async (isGzip) => {
  // Lengths that share no factor with a read's megabyte; every text begins and ends like a row.
  const row = (n: number) => `${n},"${`,""\n${n},`.repeat(1 + (n % 37) * (n % 1000 === 0 ? 997 : 1))}"\n`;
  const rows = Array.from({ length: 130_000 }, (_, n) => row(n));
  const { header, texts, rows: counts, longestRow } = await split(HEADER + rows.join(''), { isGzip });
  expect(header).toBe(HEADER);
  expect(texts.join('') === rows.join('')).toBe(true);
  let first = 0;
  for (const [index, text] of texts.entries()) {
    expect(text === rows.slice(first, first + counts[index]!).join('')).toBe(true);
    first += counts[index]!;
  }
  expect(first).toBe(rows.length);
  expect(longestRow).toBe(rows.reduce((longest, { length }) => Math.max(longest, length), 0));
  const sizes = texts.slice(0, -1).map((text) => text.length);
  expect(sizes.length).toBeGreaterThan(2);
  expect(sizes.every((size) => size >= PIECE_BYTES && size < PIECE_BYTES + longestRow)).toBe(true);
});

it('holds no row that is longer than was allowed', async () => {
  const csv = `${HEADER}1,"${'x\n'.repeat(2 * MIB)}"\n`;
  await expect(split(csv, { maxRowBytes: MIB })).rejects.toThrow(RowTooLong);
});
