import fc from 'fast-check';
import { type Delivery, newDelivery } from './testing/delivery';

describe('a JSON-lines file as a table', () => {
  let delivery: Delivery;
  beforeAll(() => {
    delivery = newDelivery();
  });
  beforeEach(() => delivery.clear());
  afterAll(() => delivery.remove());

  const open = (lines: string[], end = '\n') => {
    delivery.put('t.jsonl', lines.map((line) => line + end).join(''));
    return delivery.open();
  };

  it('takes types and columns from all lines', async () => {
    const { tables, csv } = await open([
      '{"b":true,"i":1,"d":1.50,"f":1e3,"s":"x","o":{"a": 1},"m":1,"n":null}',
      '{"late":"y","b":false,"i":-9007199254740993,"d":2,"f":0.1,"s":"","o":[1, 2],"m":"1"}',
    ]);
    expect(tables[0]!.columns.map(({ name, source_type, logical_type }) => [name, source_type, logical_type])).toEqual([
      ['b', 'boolean', 'boolean'],
      ['i', 'number', 'integer'],
      ['d', 'number', 'decimal'],
      ['f', 'number', 'float'],
      ['s', 'string', 'text'],
      ['o', 'json', 'json'],
      ['m', 'mixed', 'json'],
      ['n', 'null', 'text'],
      ['late', 'string', 'text'],
    ]);
    expect(tables[0]!.estimatedRows).toBe(2);
    expect(await csv('t')).toBe(
      'b,i,d,f,s,o,m,n,late\ntrue,1,1.50,1e3,x,"{""a"":1}",1,,\n' +
        'false,-9007199254740993,2,0.1,"","[1,2]","""1""",,y\n',
    );
  });

  it('keeps numbers that no narrower type can hold', async () => {
    const { tables, csv } = await open([
      '{"big":123456789012345678901,"wide":1234567890.123456789,"far":1e400}',
      '{"big":1,"wide":1e5,"far":1}',
    ]);
    expect(tables[0]!.columns.map(({ logical_type }) => logical_type)).toEqual(['decimal', 'json', 'json']);
    expect(await csv('t')).toBe('big,wide,far\n123456789012345678901,1234567890.123456789,1e400\n1,1e5,1\n');
  });

  it('decodes text, and keeps what no text can hold as JSON', async () => {
    const { csv, tables } = await open([
      '{"a":"q\\" b\\\\ n\\n \\u00f1 \\ud83d\\ude42 \\/","b":"\\ud800"}',
      '{"a":"ñ🙂"}',
    ]);
    expect(tables[0]!.columns.map(({ logical_type }) => logical_type)).toEqual(['text', 'json']);
    expect(await csv('t')).toBe('a,b\n"q"" b\\ n\n ñ 🙂 /","""\\ud800"""\nñ🙂,\n');
  });

  it('knows a key however it is written, and fails where it comes twice', async () => {
    expect(await (await open(['{"año":1}', '{"a\\u00f1o":2}'], '\r\n')).csv('t')).toBe('año\n1\n2\n');
    await expect(open(['{"a":1,"\\u0061":2}'])).rejects.toMatchObject({
      message: expect.stringContaining('line 1: it has one key twice'),
    });
  });

  it('filters nested keys and leaves columns out', async () => {
    const { csv, select } = await open([
      '{"id":1,"password":"s3cret","contacto":{"mail":"x","pass\\u0077ord":"s3cret"}}',
    ]);
    const selection = select('t', ['id', 'contacto'], (path) => path.at(-1) === 'password');
    expect(await csv(selection)).toBe('id,contacto\n1,"{""mail"":""x""}"\n');
  });

  it('skips blank lines, and has rows of nothing', async () => {
    expect(await (await open(['{"a":1}', '', '{}', '  '])).csv('t')).toBe('a\n1\n\n');
  });

  it.each([
    '[1]',
    '1',
    '{"a":1',
    '{"a":tru}',
    '{"a":01}',
    '{"a":1.}',
    '{"a":"\\x"}',
    '{"a":"\t"}',
    '{"a":{"b":[1,]}}',
    '{"a":{"b":nul}}',
    '{"a":[1}}',
    '{"a":1}{"a":2}',
    '{a:1}',
    '{"a":"\\u00g0"}',
    '{"a":-}',
    '{,}',
  ])('fails over %s, with its line', async (line) => {
    expect(() => JSON.parse(line.replace(/^(\[1\]|1)$/, '!'))).toThrow();
    await expect(open(['{"a":0}', '', line])).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      message: expect.stringMatching(/^Table t: t\.jsonl, line 3: it is no JSON object$/),
    });
  });

  it('fails over documents whose keys are data', async () => {
    const keys = Array.from({ length: 10_001 }, (_, i) => `"k${i}":1`).join(',');
    await expect(open([`{${keys}}`])).rejects.toMatchObject({ message: expect.stringContaining('different keys') });
  });

  it('reads values nested very deep', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(await (await open([`{"a":${deep}}`])).csv('t')).toBe(`a\n${deep.includes(',') ? '' : deep}\n`);
  });

  it('gives back any objects', async () => {
    const key = fc.constantFrom('a', 'b', 'ñ', 'd e', '"');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.dictionary(key, fc.jsonValue()), { minLength: 1, maxLength: 10 }), async (rows) => {
        fc.pre(rows.some((row) => Object.keys(row).length > 0));
        const { csv, tables } = await open(rows.map((row) => JSON.stringify(row)));
        const { columns } = tables[0]!;
        const records = parse(await csv('t')).slice(1);
        expect(records).toHaveLength(rows.length);
        for (const [r, row] of rows.entries()) {
          for (const [c, { name, logical_type }] of columns.entries()) {
            const field = records[r]![c]!;
            const value = row[name] ?? null;
            if (field === null || value === null) expect([field, value]).toEqual([null, null]);
            else expect(logical_type === 'text' ? field : JSON.parse(field)).toEqual(value);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** Records of a CSV of ours; an empty field without quotes is null. */
function parse(text: string): (string | null)[][] {
  const records: (string | null)[][] = [];
  let record: (string | null)[] = [];
  const fields = /("(?:[^"]|"")*"|[^,\n"]*)([,\n])/gy;
  for (const [, field, end] of text.matchAll(fields)) {
    if (field!.startsWith('"')) record.push(field!.slice(1, -1).replaceAll('""', '"'));
    else record.push(field === '' ? null : field!);
    if (end === '\n') {
      records.push(record);
      record = [];
    }
  }
  return records;
}
