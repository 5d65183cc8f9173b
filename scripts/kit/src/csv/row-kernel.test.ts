import fc from 'fast-check';
import { CsvWriter, writeText } from './csv-writer';
import { JsonFilter, JsonSyntaxError } from './json-filter';
import { FieldKind, MAX_INPUT, RowKernel, withFraction } from './row-kernel';

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
  [FieldKind.JSON]: fc.oneof(
    jsonText,
    fc
      .constantFrom('1.50', 'null', '[]', ' { } ', '"x"', '[1, 2]', `${'['.repeat(300)}${']'.repeat(300)}`)
      .map((value) => Buffer.from(value)),
  ),
  [FieldKind.OTHER]: text,
};

const uint = (bytes: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
};

/** MySQL's values that are no strings: their bytes, and their text as it is written here a second time. */
const integer = (bytes: number, isSigned: boolean): fc.Arbitrary<[Buffer, string]> =>
  fc
    .oneof(
      fc.bigInt({ min: 0n, max: (1n << BigInt(8 * bytes)) - 1n }),
      fc.nat({ max: 8 * bytes - 1 }).map((bit) => 1n << BigInt(bit)),
      fc.nat({ max: 19 }).map((zeros) => BigInt.asUintN(8 * bytes, 10n ** BigInt(zeros))),
    )
    .map((value) => {
      const buffer = uint(8, (to) => to.writeBigUInt64LE(value)).subarray(0, bytes);
      return [buffer, String(isSigned ? BigInt.asIntN(8 * bytes, value) : value)];
    });

const two = (n: number) => String(n).padStart(2, '0');
const behindSecond = (digits: number | null, micros: number | null) => {
  const shown = digits ?? (micros === null ? 0 : 6);
  return shown === 0
    ? ''
    : `.${String(micros ?? 0)
        .padStart(6, '0')
        .slice(0, shown)}`;
};
const clock = fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.option(fc.nat(999_999)));

/** `digits`: those behind the second; undefined for a day. */
const moment = (digits?: number | null, suffix = ''): fc.Arbitrary<[Buffer, string]> =>
  fc
    .tuple(fc.nat(9999), fc.nat(12), fc.nat(31), fc.option(clock), fc.boolean())
    .map(([year, month, day, time, isZero]) => {
      const [y, m, d] = isZero ? [0, 0, 0] : [year, month, day];
      const [hour, minute, second, micros] = (!isZero && digits !== undefined && time) || [0, 0, 0, null];
      const length = isZero ? 0 : digits === undefined || !time ? 4 : micros === null ? 7 : 11;
      const whole = uint(12, (to) => {
        to.writeUInt8(length);
        to.writeUInt16LE(y, 1);
        for (const [i, part] of [m, d, hour, minute, second].entries()) to.writeUInt8(part, 3 + i);
        to.writeUInt32LE(micros ?? 0, 8);
      });
      const date = `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}`;
      const parsed = new Date(`${date}T00:00:00Z`);
      const isDay = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
      const text =
        digits === undefined ? '' : ` ${two(hour)}:${two(minute)}:${two(second)}${behindSecond(digits, micros)}`;
      return [whole.subarray(0, length + 1), `${date}${text}${isDay ? suffix : ''}`];
    });

const span = (digits: number | null): fc.Arbitrary<[Buffer, string]> =>
  fc
    .tuple(fc.boolean(), fc.nat(34), clock, fc.boolean())
    .map(([isNegative, days, [hour, minute, second, micros], isZero]) => {
      if (isZero) return [Buffer.alloc(1), `00:00:00${behindSecond(digits, null)}`];
      const whole = uint(13, (to) => {
        to.writeUInt8(micros === null ? 8 : 12);
        to.writeUInt8(isNegative ? 1 : 0, 1);
        to.writeUInt32LE(days, 2);
        for (const [i, part] of [hour, minute, second].entries()) to.writeUInt8(part, 6 + i);
        to.writeUInt32LE(micros ?? 0, 9);
      });
      const text = `${two(24 * days + hour)}:${two(minute)}:${two(second)}${behindSecond(digits, micros)}`;
      return [whole.subarray(0, micros === null ? 9 : 13), `${isNegative ? '-' : ''}${text}`];
    });

const float = fc
  .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constantFrom(0.1, 1e21, 5e-324, -0))
  .map((value): [Buffer, string] => [
    uint(8, (to) => to.writeDoubleLE(value)),
    Object.is(value, -0) ? '-0' : String(value),
  ]);

const FIXED = new Map<number, fc.Arbitrary<[Buffer, string]>>([
  [FieldKind.INT8, integer(1, true)],
  [FieldKind.UINT8, integer(1, false)],
  [FieldKind.INT16, integer(2, true)],
  [FieldKind.UINT16, integer(2, false)],
  [FieldKind.INT32, integer(4, true)],
  [FieldKind.UINT32, integer(4, false)],
  [FieldKind.INT64, integer(8, true)],
  [FieldKind.UINT64, integer(8, false)],
  [
    FieldKind.YEAR,
    fc
      .constantFrom(0, 1901, 2155)
      .map((year) => [uint(2, (to) => to.writeUInt16LE(year)), String(year).padStart(4, '0')]),
  ],
  [FieldKind.FLOAT, float],
  [FieldKind.DATE, moment()],
  ...[0, 3, 6, null].flatMap((digits): [number, fc.Arbitrary<[Buffer, string]>][] => [
    [withFraction(FieldKind.DATETIME, digits), moment(digits)],
    [withFraction(FieldKind.INSTANT, digits), moment(digits, '+00')],
    [withFraction(FieldKind.TIME, digits), span(digits)],
  ]),
]);
/** The text of a value, by the buffer that was made for it. */
const texts = new WeakMap<Buffer, string>();
for (const [kind, value] of FIXED) {
  VALUES[kind] = value.map(([bytes, text]) => {
    texts.set(bytes, text);
    return bytes;
  });
}

/** By the key itself, or by where it stands. */
const isSecret = (path: readonly string[]) =>
  path.at(-1)!.includes('secret') || path.join('.').endsWith('column.value.a');

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
  return kind === FieldKind.OTHER;
};

/** The same table by `CsvWriter`, field by field. */
function byWriter({ kinds, rows }: Table): string {
  const writer = new CsvWriter();
  for (const row of rows) {
    row.forEach((value, i) => {
      const kind = kinds[i]!;
      if (value === null) writer.null();
      else if (FIXED.has(kind)) writer.string(texts.get(value)!);
      else if (kind === FieldKind.TEXT || isLeft(kind, value.toString())) writer.text(value, 0, value.length);
      else if (kind === FieldKind.JSON) writer.json(new JsonFilter('column', isSecret), value, 0, value.length);
      else if (kind === FieldKind.HEX) writer.hex(value, 0, value.length);
      else if (kind === FieldKind.BOOLEAN) writer.string(value.toString() === 't' ? 'true' : 'false');
      else if (kind === FieldKind.HEX_TEXT) writer.string(value.toString().slice(2));
      else writer.plain(value, 0, value.length);
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

function dataRow(values: readonly Value[]): Buffer {
  const fields = values.flatMap((value) => [
    uint(4, (to) => to.writeInt32BE(value === null ? -1 : value.length)),
    value ?? Buffer.alloc(0),
  ]);
  const payload = Buffer.concat([uint(2, (to) => to.writeUInt16BE(values.length)), ...fields]);
  return Buffer.concat([Buffer.from('D'), uint(4, (to) => to.writeUInt32BE(payload.length + 4)), payload]);
}

function binaryRow(values: readonly Value[], kinds: readonly number[]): Buffer {
  const nulls = Buffer.alloc((values.length + 9) >> 3);
  const fields = values.flatMap((value, i) => {
    if (value === null) {
      nulls[(i + 2) >> 3]! |= 1 << ((i + 2) & 7);
      return [];
    }
    const { length } = value;
    if (FIXED.has(kinds[i]!)) return [value];
    if (length <= 250) return [Buffer.from([length]), value];
    const width = length < 65_536 ? 2 : 3;
    return [Buffer.from([width === 2 ? 0xfc : 0xfd]), uint(width, (to) => to.writeUIntLE(length, 0, width)), value];
  });
  const payload = Buffer.concat([Buffer.alloc(1), nulls, ...fields]);
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
    name: 'binaryRows' as const,
    encode: binaryRow,
    kinds: [FieldKind.PLAIN, FieldKind.TEXT, FieldKind.HEX, FieldKind.JSON, FieldKind.OTHER, ...FIXED.keys()],
    /** The first value longer than the row. */
    spoil: (row: Buffer) => row.writeUInt8(250, 6),
  },
];

describe.each(PROTOCOLS)('RowKernel.$name', ({ name, encode, kinds, spoil }) => {
  it('writes what CsvWriter writes, at every place of the input', () => {
    fc.assert(
      fc.property(tables(kinds), fc.nat(40), (table, before) => {
        const rows = Buffer.concat(table.rows.map((row) => encode(row, table.kinds)));
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
    const whole = Buffer.concat(table.rows.map((row) => encode(row, table.kinds)));
    expect(whole.length).toBeGreaterThan(4 * MAX_INPUT);
    const writer = new CsvWriter();
    const cut = Buffer.concat([whole, encode(row, table.kinds).subarray(0, -1)]);
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
      const input = Buffer.concat(rows.map((row) => encode(row, table.kinds)));
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
          const row = encode([broken], [FieldKind.JSON]);
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

  it('knows where a key stands, below keys that it has met before', () => {
    const document = Buffer.from('{"value":{"a":1,"b":2},"other":{"a":3}}');
    const rows = new Array<Value[]>(3).fill([document]);
    const writer = new CsvWriter();
    const input = Buffer.concat(rows.map((row) => encode(row, [FieldKind.JSON])));
    kernelOf([FieldKind.JSON], writer)[name](input, 0, input.length);
    expect(contentOf(writer)).toBe('"{""value"":{""b"":2},""other"":{""a"":3}}"\n'.repeat(3));
  });

  it('does not take the keys of another query for its own', () => {
    const input = encode([Buffer.from('{"secret":1}')], [FieldKind.JSON]);
    const kinds = Uint8Array.of(FieldKind.JSON);
    const open = new RowKernel(kinds, [new JsonFilter('column', () => false)], new CsvWriter(), () => 0);
    for (let i = 0; i < 2; i++) open[name](input, 0, input.length);
    const writer = new CsvWriter();
    kernelOf([FieldKind.JSON], writer)[name](input, 0, input.length);
    expect(contentOf(writer)).toBe('"{}"\n');
  });

  it('leaves to its caller what it cannot take: a long row, and one that does not fit', () => {
    const good = encode([Buffer.from('7')], [FieldKind.TEXT]);
    const long = encode([Buffer.alloc(MAX_INPUT, 'x')], [FieldKind.TEXT]);
    const broken = encode([Buffer.from('7')], [FieldKind.TEXT]);
    spoil(broken);
    for (const odd of name === 'dataRows' ? [long, broken, Buffer.from('C\0\0\0\x04')] : [long, broken]) {
      const writer = new CsvWriter();
      const input = Buffer.concat([good, good, odd, good]);
      expect(kernelOf([FieldKind.TEXT], writer)[name](input, 0, input.length)).toBe(2 * good.length);
      expect(contentOf(writer)).toBe('7\n7\n');
    }
  });
});

describe('MySQL values that are no strings', () => {
  it('come out of single values as out of whole rows', () => {
    fc.assert(
      fc.property(tables([...FIXED.keys()]), (table) => {
        const writer = new CsvWriter();
        const kernel = kernelOf(table.kinds, writer);
        for (const row of table.rows) {
          row.forEach((value, i) => {
            if (value === null) writer.null();
            else expect(kernel.fixedValue(i, Buffer.concat([Buffer.alloc(3), value]), 3)).toBe(3 + value.length);
          });
          writer.endRow();
        }
        expect(contentOf(writer)).toBe(byWriter(table));
      }),
      { numRuns: 1_000 },
    );
  });

  it('have room where a byte comes out as 27, and where a bit comes out as a comma', () => {
    const instant = withFraction(FieldKind.INSTANT, 6);
    const zero = Buffer.alloc(1);
    texts.set(zero, '0000-00-00 00:00:00.000000');
    const kinds = new Array<number>(4_000).fill(instant);
    for (const value of [zero, null]) {
      const table = { kinds, rows: new Array<Value[]>(14).fill(new Array<Value>(4_000).fill(value)) };
      const writer = new CsvWriter();
      const kernel = kernelOf(kinds, writer);
      const input = Buffer.concat(table.rows.map((row) => binaryRow(row, kinds)));
      expect(kernel.binaryRows(input, 0, input.length)).toBe(input.length);
      expect(contentOf(writer)).toBe(byWriter(table));
      expect(kernel.noDays[17]).toBe(value === null ? 0 : 14);
    }
  });

  it('have the shortest text of every floating-point number', () => {
    const writer = new CsvWriter();
    const kernel = kernelOf([FieldKind.FLOAT], writer);
    const expected: string[] = [];
    const bytes = Buffer.alloc(8);
    for (let i = 0; i < 200_000; i++) {
      for (let at = 0; at < 8; at += 4) bytes.writeUInt32LE((Math.random() * 2 ** 32) >>> 0, at);
      const value = bytes.readDoubleLE();
      if (!Number.isFinite(value)) continue;
      expected.push(String(value));
      kernel.fixedValue(0, bytes, 0);
      writer.endRow();
    }
    expect(contentOf(writer)).toBe(`${expected.join('\n')}\n`);
  });
});
