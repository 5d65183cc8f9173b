import { CsvWriter } from '@ingesta/kit';
import fc from 'fast-check';
import { CsvRows } from './csv-rows';
import { RecordReader } from './record-reader';
import { type Delivery, newDelivery } from './testing/delivery';

describe('a CSV file as a table', () => {
  let delivery: Delivery;
  beforeAll(() => {
    delivery = newDelivery();
  });
  beforeEach(() => delivery.clear());
  afterAll(() => delivery.remove());

  const read = async (content: string | Uint8Array, env: Record<string, string> = {}, path = 't.csv') => {
    delivery.put(path, content);
    const opened = await delivery.open(env);
    const csv = await opened.csv('t');
    await opened.session.close();
    return csv;
  };

  it('keeps NULL and the empty string apart', async () => {
    expect(await read('a,b,c\n,"",x\n"",,\n')).toBe('a,b,c\n,"",x\n"",,\n');
  });

  it('takes a text of ours for NULL, where it has no quotes', async () => {
    expect(await read('a,b,c\n\\N,"\\N",\n', { FILES_NULL: '\\N' })).toBe('a,b,c\n,\\N,""\n');
  });

  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('takes %s for the end of a row, and keeps those within quotes', async (_, end) => {
    expect(await read(['a,b', '"x\r\ny","1\n2"', '3,4'].join(end))).toBe('a,b\n"x\r\ny","1\n2"\n3,4\n');
  });

  it('keeps awkward text as it is', async () => {
    const text = 'id,t\nprod001," sp ace "\nprod002,\'q\'\nprod003,a"b\nprod004,"say ""hi"""\nprod005,ñ🙂\n';
    expect(await read(text)).toBe(
      'id,t\nprod001, sp ace \nprod002,\'q\'\nprod003,"a""b"\nprod004,"say ""hi"""\nprod005,ñ🙂\n',
    );
  });

  it('keeps sales as they were delivered: mixed dates, ids, zeros in front', async () => {
    const sales =
      'venta_id,producto_id,cliente_id,cantidad,fecha\n' +
      '1,prod001,cli07,2,2024-03-01\n2,prod999,cli99,010,01/03/2024\n3,prod002,,1.0,"Mar 1, 2024"\n4,prod003,cli01,3,2099-12-31 23:59\n';
    delivery.put('ventas.csv', sales);
    const { csv, tables, warnings } = await delivery.open();
    expect(await csv('ventas')).toBe(sales);
    expect(tables[0]!.columns[0]).toEqual({
      name: 'venta_id',
      source_type: 'text',
      logical_type: 'text',
      nullable: true,
    });
    expect(tables[0]!.estimatedRows).toBe(4);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['semicolons', 't.csv', 'a;b\n"1,5";2\n', 'a,b\n"1,5",2\n'],
    ['semicolons around decimal commas', 't.csv', '1,5;2,7;3,1\n2,5;3,7;4,1\n', null],
    ['tabs', 't.csv', 'a\tb\n1\t2,3\n', 'a,b\n1,"2,3"\n'],
    ['pipes', 't.csv', 'a|b\n1|2\n', 'a,b\n1,2\n'],
    ['commas beside a stray semicolon', 't.csv', 'a,b,c;d\n1,2,3\n', 'a,b,c;d\n1,2,3\n'],
    ['nothing', 't.csv', 'a\n1\n', 'a\n1\n'],
    ['the tabs of a .tsv', 't.tsv', 'a,b,c\td\n1,2,3\t4\n', '"a,b,c",d\n"1,2,3",4\n'],
    ['pipes in a .txt', 't.txt', 'a|b\n1|2\n', 'a,b\n1,2\n'],
  ])('finds out %s', async (_, path, content, expected) => {
    const csv = await read(content, {}, path);
    expect(csv).toBe(expected ?? 'column_1,column_2,column_3\n"1,5","2,7","3,1"\n"2,5","3,7","4,1"\n');
  });

  it('splits at what it is told', async () => {
    expect(await read('a,b^c\n1^2\n', { FILES_DELIMITER: '^' })).toBe('"a,b",c\n1,2\n');
  });

  it('gives every column a name of its own', async () => {
    const csv = await read('id,id,,id_2,,id\n1,2,3,4,5,6\n', { FILES_HEADER: 'yes' });
    expect(csv.split('\n')[0]).toBe('id,id_3,column_3,id_2,column_5,id_4');
  });

  it('takes a first line with data in it for a row, and says so', async () => {
    delivery.put('t.csv', 'ana,1\nluis,2\n');
    const { csv, warnings } = await delivery.open();
    expect(await csv('t')).toBe('column_1,column_2\nana,1\nluis,2\n');
    expect(warnings).toEqual([expect.stringContaining('FILES_HEADER')]);
  });

  it('does with the first line as it is told', async () => {
    expect(await read('2023,2024\n1,2\n', { FILES_HEADER: 'yes' })).toBe('2023,2024\n1,2\n');
    expect(await read('a,b\n1,2\n', { FILES_HEADER: 'no' })).toBe('column_1,column_2\na,b\n1,2\n');
  });

  it.each([
    ['a row too short', 'a,b\n1,2\n3\n', /t\.csv, line 3: it has 1 fields/],
    ['a row too long', 'a,b\n"1\n1",2\n3,4,5\n', /line 4: it has 3 fields/],
    ['a blank line between rows', 'a,b\r\n1,2\r\n\r\n3,4\r\n', /line 3: it is blank/],
    ['text behind a quote', 'a,b\n"1"x,2\n', /line 2: text follows/],
    ['an open quote', 'a,b\n1,"2\n3,4\n', /line 2: a quote is never closed/],
  ])('fails over %s', async (_, content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      exitCode: 70,
      message: expect.stringMatching(message),
    });
  });

  it('does not take a line with the name of a secret for data by itself', async () => {
    const text = 'id,clave,2024\n1,NO,2\n';
    delivery.put('t.csv', text);
    const { csv, select } = await delivery.open();
    const selection = select('t', undefined, ([key]) => key === 'clave');
    await expect(csv(selection)).rejects.toMatchObject({ message: expect.stringContaining('clave') });
    expect(await read(text, { FILES_HEADER: 'no' })).toContain('id,clave,2024');
  });

  it('does not mind blank lines at the end', async () => {
    expect(await read('a,b\n1,2\n\n\r\n')).toBe('a,b\n1,2\n');
  });

  it('takes a blank line for NULL where there is but one column', async () => {
    expect(await read('a\n1\n\n2\n')).toBe('a\n1\n\n2\n');
  });

  it('reads the selected columns alone', async () => {
    delivery.put('t.csv', 'id,password,name\n1,s3cret,Ana\n,s3cret,\n');
    const { csv, select } = await delivery.open();
    expect(await csv(select('t', ['id', 'name']))).toBe('id,name\n1,Ana\n,\n');
  });

  it('keeps a second column of a sensitive name inside, whatever we call it', async () => {
    delivery.put('t.csv', 'id,clave,clave\n1,s3cret,s3cret\n');
    const { csv, select } = await delivery.open();
    const selection = select('t', ['id', 'clave_2'], ([name]) => name === 'clave');
    await expect(csv(selection)).rejects.toMatchObject({ message: expect.stringContaining('clave') });
  });

  it('fails over a field that is too long, in time', () => {
    const reader = new RecordReader(',', { field: () => {}, endRecord: () => {} });
    reader.push(Buffer.from('a\n"'));
    const chunk = Buffer.alloc(16 * 2 ** 20, 'x');
    const fill = () => {
      for (let i = 0; i < 17; i++) reader.push(chunk);
    };
    expect(fill).toThrow(/line 2: a field is over 256 MiB/);
  });

  it('reads what the kit writes, cut anywhere, as the same bytes', () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.constantFrom('', '"', '""', ',', '\n', '\r', '\r\n', 'a"b', '\\.', 'ñ🙂', ' '),
      fc.string({ unit: 'grapheme' }),
    );
    const table = fc
      .integer({ min: 1, max: 5 })
      .chain((width) => fc.array(fc.array(value, { minLength: width, maxLength: width }), { maxLength: 20 }));
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 9 }), (rows, cut) => {
        const width = rows[0]?.length ?? 1;
        const names = Array.from({ length: width }, (_, i) => `n"${i}`);
        const written = write(names, rows);
        const again = new CsvWriter();
        again.header(names);
        const plan = { taken: names.map(() => true), hasHeader: true, nullText: '' };
        const reader = new RecordReader(',', new CsvRows(again, plan));
        for (let at = 0; at < written.length; at += cut) reader.push(Buffer.from(written.subarray(at, at + cut)));
        reader.end();
        expect(Buffer.concat(again.flush().map(({ data }) => data)).toString()).toBe(written.toString());
      }),
      { numRuns: 500 },
    );
  });

  it('reads random files of the kit as the same bytes', async () => {
    const value = fc.oneof(fc.constant(null), fc.string({ unit: 'grapheme' }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(value, value, value), { maxLength: 30 }), async (rows) => {
        const written = write(['a', 'b b', 'ñ'], rows);
        expect(await read(written, { FILES_HEADER: 'yes', FILES_DELIMITER: 'comma' })).toBe(written.toString());
      }),
      { numRuns: 50 },
    );
  });
});

function write(names: string[], rows: (string | null)[][]): Buffer {
  const writer = new CsvWriter();
  writer.header(names);
  for (const row of rows) {
    for (const value of row) value === null ? writer.null() : writer.string(value);
    writer.endRow();
  }
  return Buffer.concat(writer.flush().map(({ data }) => data));
}
