import fc from 'fast-check';
import { CsvWriter, writeText } from './csv-writer';
import { JsonFilter, JsonSyntaxError } from './json-filter';
import { FieldKind, MAX_INPUT, RowKernel } from './row-kernel';

type Value = Buffer | null;

interface Table {
  kinds: number[];
  rows: Value[][];
}

/** Long enough for several blocks of 16 bytes, and full of what a CSV has to quote. */
const text = fc
  .array(fc.constantFrom('a', 'bc', 'ñ', '€', '"', ',', '\n', '\r', '\\.', '0123456789abcdef', ' '), { maxLength: 12 })
  .map((parts) => Buffer.from(parts.join('')));
const digits = fc.stringMatching(/^-?\d{1,40}$/).map((value) => Buffer.from(value));
const day = fc
  .tuple(fc.constantFrom('0000', '2024', '1999'), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 31 }))
  .map(([year, month, day]) => `${year}-${two(month)}-${two(day)}`);
const two = (n: number) => String(n).padStart(2, '0');

/** Keys and strings that need care, in texts with white space between their tokens, or cut somewhere. */
const jsonText = fc
  .tuple(
    fc.jsonValue({ stringUnit: fc.constantFrom('a', 'secret', '"', '\\', '\n', 'ñ', ',', '0123456789abcdef') }),
    fc.constantFrom(undefined, 1, '\t'),
  )
  .map(([value, space]) => Buffer.from(JSON.stringify({ value, list: [value, 1] }, null, space)));

const VALUES: Record<number, fc.Arbitrary<Buffer>> = {
  [FieldKind.PLAIN]: digits,
  [FieldKind.TEXT]: fc.oneof(text, fc.constantFrom(Buffer.from('\\.'), Buffer.alloc(0))),
  [FieldKind.HEX]: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  [FieldKind.BOOLEAN]: fc.constantFrom('t', 'f').map((value) => Buffer.from(value)),
  [FieldKind.HEX_TEXT]: fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => Buffer.from(`\\x${Buffer.from(bytes).toString('hex')}`)),
  [FieldKind.ISO_DATE]: fc
    .constantFrom('2025-01-02', 'infinity', '0044-03-15 BC', '12025-01-02', '2025-01-02 03:04:05.678901+00')
    .map((value) => Buffer.from(value)),
  [FieldKind.CALENDAR_DATE]: day.map((value) => Buffer.from(value)),
  [FieldKind.CALENDAR_INSTANT]: day.map((value) => Buffer.from(`${value} 10:11:12.5`)),
  [FieldKind.JSON]: fc.oneof(
    jsonText,
    fc
      .constantFrom('1.50', 'null', '[]', ' { } ', '"x"', '[1, 2]', `${'['.repeat(300)}${']'.repeat(300)}`)
      .map((value) => Buffer.from(value)),
  ),
  [FieldKind.OTHER]: text,
};

const isSecret = (path: readonly string[]) => path.at(-1)!.includes('secret');

const tables = (kinds: number[]): fc.Arbitrary<Table> =>
  fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 8 }).chain((kinds) =>
    fc.record({
      kinds: fc.constant(kinds),
      rows: fc.array(fc.tuple(...kinds.map((kind) => fc.option(VALUES[kind]!, { freq: 4 }))), { maxLength: 12 }),
    }),
  );

/** What the kernel does not decide, it asks for; here the answer is a text. */
const isLeft = (kind: number, value: string): boolean => {
  if (kind === FieldKind.ISO_DATE) return !/^....-.*[^C]$/.test(value);
  if (kind === FieldKind.CALENDAR_DATE || kind === FieldKind.CALENDAR_INSTANT)
    return !/^....-(?!00)..-(?!00)([01].|2[0-8])/.test(value);
  return kind === FieldKind.OTHER;
};

/** The same table by `CsvWriter`, field by field. */
function byWriter({ kinds, rows }: Table): string {
  const writer = new CsvWriter();
  for (const row of rows) {
    row.forEach((value, i) => {
      const kind = kinds[i]!;
      if (value === null) writer.null();
      else if (kind === FieldKind.TEXT || isLeft(kind, value.toString())) writer.text(value, 0, value.length);
      else if (kind === FieldKind.JSON) writer.json(new JsonFilter('column', isSecret), value, 0, value.length);
      else if (kind === FieldKind.HEX) writer.hex(value, 0, value.length);
      else if (kind === FieldKind.BOOLEAN) writer.string(value.toString() === 't' ? 'true' : 'false');
      else if (kind === FieldKind.HEX_TEXT) writer.string(value.toString().slice(2));
      else {
        writer.plain(value, 0, value.length);
        if (kind === FieldKind.CALENDAR_INSTANT) writer.suffix(Buffer.from('+00'));
      }
    });
    writer.endRow();
  }
  return contentOf(writer);
}

const contentOf = (writer: CsvWriter) => Buffer.concat(writer.flush().map(({ data }) => data)).toString('latin1');

function kernelOf(kinds: number[], writer = new CsvWriter()) {
  const filters = kinds.map((kind) => (kind === FieldKind.JSON ? new JsonFilter('column', isSecret) : null));
  return new RowKernel(Uint8Array.from(kinds), filters, writer, (_, bytes, start, end, at) =>
    writeText(bytes, start, end, bytes, at),
  );
}

const uint = (bytes: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
};

function dataRow(values: readonly Value[]): Buffer {
  const fields = values.flatMap((value) => [
    uint(4, (to) => to.writeInt32BE(value === null ? -1 : value.length)),
    value ?? Buffer.alloc(0),
  ]);
  const payload = Buffer.concat([uint(2, (to) => to.writeUInt16BE(values.length)), ...fields]);
  return Buffer.concat([Buffer.from('D'), uint(4, (to) => to.writeUInt32BE(payload.length + 4)), payload]);
}

function packedRow(values: readonly Value[]): Buffer {
  const fields = values.flatMap((value) => {
    if (value === null) return [Buffer.from([0xfb])];
    const { length } = value;
    if (length <= 250) return [Buffer.from([length]), value];
    const width = length < 65_536 ? 2 : 3;
    return [Buffer.from([width === 2 ? 0xfc : 0xfd]), uint(width, (to) => to.writeUIntLE(length, 0, width)), value];
  });
  const payload = Buffer.concat(fields);
  return Buffer.concat([uint(4, (to) => to.writeUInt32LE(payload.length)), payload]);
}

const PROTOCOLS = [
  {
    name: 'dataRows' as const,
    encode: dataRow,
    kinds: [
      FieldKind.PLAIN,
      FieldKind.TEXT,
      FieldKind.BOOLEAN,
      FieldKind.HEX_TEXT,
      FieldKind.ISO_DATE,
      FieldKind.OTHER,
    ],
    /** The number of values one too many. */
    spoil: (row: Buffer) => row.writeUInt16BE(row.readUInt16BE(5) + 1, 5),
  },
  {
    name: 'packedRows' as const,
    encode: packedRow,
    kinds: [
      ...[FieldKind.PLAIN, FieldKind.TEXT, FieldKind.HEX, FieldKind.JSON, FieldKind.OTHER],
      ...[FieldKind.CALENDAR_DATE, FieldKind.CALENDAR_INSTANT],
    ],
    /** The first value longer than the row. */
    spoil: (row: Buffer) => row.writeUInt8(250, 4),
  },
];

describe.each(PROTOCOLS)('RowKernel.$name', ({ name, encode, kinds, spoil }) => {
  it('writes what CsvWriter writes, at every place of the input', () => {
    fc.assert(
      fc.property(tables(kinds), fc.nat(40), (table, before) => {
        const rows = Buffer.concat(table.rows.map(encode));
        const writer = new CsvWriter();
        const input = Buffer.concat([Buffer.alloc(before, 0x44), rows]);
        expect(kernelOf(table.kinds, writer)[name](input, before, input.length)).toBe(rows.length);
        expect(writer.totalRows).toBe(table.rows.length);
        expect(contentOf(writer)).toBe(byWriter(table));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes more than one slice, and leaves a row that is cut', () => {
    const row = [Buffer.from('12345'), Buffer.from('a "text", which is quoted')];
    const table = { kinds: [FieldKind.PLAIN, FieldKind.TEXT], rows: new Array<Value[]>(8_000).fill(row) };
    const whole = Buffer.concat(table.rows.map(encode));
    expect(whole.length).toBeGreaterThan(4 * MAX_INPUT);
    const writer = new CsvWriter();
    const cut = Buffer.concat([whole, encode(row).subarray(0, -1)]);
    expect(kernelOf(table.kinds, writer)[name](cut, 0, cut.length)).toBe(whole.length);
    expect(contentOf(writer)).toBe(byWriter(table));
  });

  it('has room where every byte comes out as two', () => {
    const quotes = Buffer.alloc(MAX_INPUT - 64, '"');
    for (const [rows, width] of [
      [[[quotes]], 1],
      [new Array<Value[]>(15).fill(new Array<Value>(4_000).fill(Buffer.alloc(0))), 4_000],
    ] as [Value[][], number][]) {
      const table = { kinds: new Array<number>(width).fill(FieldKind.TEXT), rows };
      const writer = new CsvWriter();
      const input = Buffer.concat(rows.map(encode));
      expect(kernelOf(table.kinds, writer)[name](input, 0, input.length)).toBe(input.length);
      expect(contentOf(writer)).toBe(byWriter(table));
    }
  });

  it('refuses texts that are not JSON, and takes them just as JsonFilter does', () => {
    fc.assert(
      fc.property(
        jsonText,
        fc.nat(),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', ':', '\\'),
        (text, a, b, odd) => {
          const [from, to] = [a % text.length, b % text.length].sort((left, right) => left - right) as [number, number];
          const broken = Buffer.concat([text.subarray(0, from), Buffer.from(odd), text.subarray(to)]);
          const row = encode([broken]);
          const table = { kinds: [FieldKind.JSON], rows: [[broken]] };
          const writer = new CsvWriter();
          const outcome = (work: () => string) => {
            try {
              return work();
            } catch (error) {
              return error;
            }
          };
          const expected = outcome(() => byWriter(table));
          const found = outcome(() => {
            kernelOf(table.kinds, writer)[name](row, 0, row.length);
            return contentOf(writer);
          });
          expect(found).toEqual(expected);
          if (typeof expected !== 'string') expect(expected).toBeInstanceOf(JsonSyntaxError);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('leaves to its caller what it cannot take: a long row, and one that does not fit', () => {
    const good = encode([Buffer.from('7')]);
    const long = encode([Buffer.alloc(MAX_INPUT, 'x')]);
    const broken = encode([Buffer.from('7')]);
    spoil(broken);
    for (const odd of name === 'dataRows' ? [long, broken, Buffer.from('C\0\0\0\x04')] : [long, broken]) {
      const writer = new CsvWriter();
      const input = Buffer.concat([good, good, odd, good]);
      expect(kernelOf([FieldKind.TEXT], writer)[name](input, 0, input.length)).toBe(2 * good.length);
      expect(contentOf(writer)).toBe('7\n7\n');
    }
  });
});
