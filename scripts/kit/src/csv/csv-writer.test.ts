import fc from 'fast-check';
import type { CsvChunk } from '../source';
import { CsvWriter } from './csv-writer';

type Field = Buffer | null;

/** RFC 4180 over bytes; an unquoted empty field is NULL. */
function parse(csv: Buffer): Field[][] {
  const rows: Field[][] = [];
  let row: Field[] = [];
  let at = 0;
  while (at < csv.length) {
    const bytes: number[] = [];
    const quoted = csv[at] === 0x22;
    if (quoted) {
      for (at++; !(csv[at] === 0x22 && csv[at + 1] !== 0x22); at++) {
        if (at >= csv.length) throw new Error('open quote');
        if (csv[at] === 0x22) at++;
        bytes.push(csv[at]!);
      }
      at++;
    } else {
      for (; csv[at] !== 0x2c && csv[at] !== 0x0a; at++) {
        if (at >= csv.length || csv[at] === 0x22 || csv[at] === 0x0d) throw new Error('bare quote, CR or end');
        bytes.push(csv[at]!);
      }
    }
    row.push(quoted || bytes.length > 0 ? Buffer.from(bytes) : null);
    const end = csv[at++];
    if (end === 0x0a) {
      rows.push(row);
      row = [];
      if (at === csv.length) return rows;
    } else if (end !== 0x2c) throw new Error('no separator');
  }
  if (row.length > 0) throw new Error('no line end');
  return rows;
}

const joined = (chunks: CsvChunk[]) => Buffer.concat(chunks.map(({ data }) => data));

/** One row written by `write`, as text. */
function written(write: (writer: CsvWriter) => void): string {
  const writer = new CsvWriter();
  write(writer);
  writer.endRow();
  return joined(writer.flush()).toString();
}

const strings = (...values: (string | null)[]) =>
  written((writer) => {
    for (const value of values) value === null ? writer.null() : writer.string(value);
  });

describe('CsvWriter', () => {
  it.each<[string, (string | null)[], string]>([
    ['NULL and the empty string', [null, '', null], ',"",\n'],
    ['a lone NULL', [null], '\n'],
    ['a lone empty string', [''], '""\n'],
    ['plain text', ['a b', "it's", ' x ', '\t'], "a b,it's, x ,\t\n"],
    ['comma, quote, LF and CR', ['a,b', 'a"b', 'a\nb', 'a\rb', '"'], '"a,b","a""b","a\nb","a\rb",""""\n'],
    ['the end-of-data mark', ['\\.', '\\.x', '\\'], '"\\.",\\.x,\\\n'],
    ['anything in UTF-8', ['ñ', '漢', '😀', '\u2028'], 'ñ,漢,😀,\u2028\n'],
  ])('writes %s', (_, values, expected) => {
    expect(strings(...values)).toBe(expected);
  });

  it('writes the header as a line that is no row', () => {
    const writer = new CsvWriter();
    writer.header(['id', 'a,b', '']);
    const [chunk] = writer.flush();
    expect(chunk!.data.toString()).toBe('id,"a,b",""\n');
    expect(chunk!.rows).toBe(0);
    expect(writer.flush()).toEqual([]);
  });

  it('writes bytes as hex, none of them as the empty string', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(written((writer) => writer.hex(all, 0, 256))).toBe(`${all.toString('hex')}\n`);
    expect(written((writer) => writer.hex(all, 10, 13))).toBe('0a0b0c\n');
    expect(written((writer) => writer.hex(all, 5, 5))).toBe('""\n');
    const large = Buffer.from(Array.from({ length: 300_001 }, (_, i) => i % 251));
    expect(written((writer) => writer.hex(large, 0, large.length))).toBe(`${large.toString('hex')}\n`);
  });

  it.each([1, 64, 4096])('joins parts of a quoted field, however large, in pieces of %i bytes', (chunkBytes) => {
    const writer = new CsvWriter(chunkBytes);
    const parts = ['', '"a",', 'b"\n'.repeat(20_000), '"'].map((part) => Buffer.from(part));
    writer.string('before');
    for (const part of parts) writer.quotedPart(part, 0, part.length);
    writer.endQuoted();
    writer.string('behind');
    writer.endRow();
    const [row] = parse(joined(writer.flush()));
    expect(row!.map(String)).toEqual(['before', parts.join(''), 'behind']);
  });

  it('writes plain slices, short or long', () => {
    const digits = Buffer.from('1234567890'.repeat(20));
    const text = written((writer) => {
      writer.plain(digits, 2, 5);
      writer.plain(digits, 0, 200);
    });
    expect(text).toBe(`345,${digits}\n`);
  });

  it('takes fields larger than a chunk', () => {
    const writer = new CsvWriter(64);
    const large = '"x,'.repeat(10_000);
    for (const value of ['a', large, 'b']) {
      writer.string(value);
      writer.endRow();
    }
    expect(parse(joined(writer.flush())).map(([field]) => field!.toString())).toEqual(['a', large, 'b']);
  });

  it('counts a row in the chunk that its line end is in', () => {
    const writer = new CsvWriter(16);
    for (let i = 0; i < 100; i++) {
      writer.string(`row\n${i}`);
      writer.string('x'.repeat(i % 40));
      writer.endRow();
    }
    const chunks = writer.flush();
    expect(chunks.length).toBeGreaterThan(50);
    let seen = Buffer.alloc(0);
    let rows = 0;
    for (const chunk of chunks) {
      seen = Buffer.concat([seen, chunk.data]);
      rows += chunk.rows;
      // Two line ends per row, one of them inside quotes.
      expect(rows).toBe(seen.toString().split(/\n(?=")|\n$/).length - 1);
    }
    expect(rows).toBe(100);
  });

  it('never touches a chunk again that it handed on', () => {
    const writer = new CsvWriter(32);
    const kept: { data: Buffer; copy: Buffer }[] = [];
    for (let i = 0; i < 200; i++) {
      writer.string(`value ${i}`);
      writer.endRow();
      const chunks = i % 7 === 0 ? writer.flush() : writer.take();
      kept.push(...chunks.map(({ data }) => ({ data, copy: Buffer.from(data) })));
    }
    expect(kept.length).toBeGreaterThan(20);
    for (const { data, copy } of kept) expect(data.equals(copy)).toBe(true);
    expect(new Set(kept.map(({ data }) => data.buffer)).size).toBe(kept.length);
  });

  it('is read back as it was written, whatever the chunk size', () => {
    const field = fc.oneof(
      fc.constant(null),
      fc.uint8Array({ maxLength: 120 }),
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
      fc.array(fc.constantFrom(...'",\n\r\\.a'), { maxLength: 60 }).map((marks) => Buffer.from(marks.join(''))),
    );
    const table = fc
      .integer({ min: 1, max: 5 })
      .chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width }), { maxLength: 30 }));
    fc.assert(
      fc.property(table, fc.constantFrom(1, 2, 7, 64, 4096), fc.boolean(), (rows, size, takeOften) => {
        const writer = new CsvWriter(size);
        const chunks: CsvChunk[] = [];
        for (const row of rows) {
          for (const value of row) value === null ? writer.null() : writer.text(value, 0, value.length);
          writer.endRow();
          if (takeOften) chunks.push(...writer.take());
        }
        chunks.push(...writer.flush());
        expect(parse(joined(chunks))).toEqual(rows.map((row) => row.map((value) => value && Buffer.from(value))));
        expect(chunks.reduce((sum, chunk) => sum + chunk.rows, 0)).toBe(rows.length);
        expect(chunks.every(({ data }) => data.length > 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
