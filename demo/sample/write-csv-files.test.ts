import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseString } from 'fast-csv';
import { generate } from './insurance/generate';
import { writeCsvFiles } from './write-csv-files';

describe('the sample as CSV files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-csv-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('tells NULL from the empty text, and writes values as the scripts do', async () => {
    const rows = [
      { a: null, b: '', c: true, d: ['x,', null], e: { k: '"' }, f: '2025-01-02T15:30:45.123Z', g: 7 },
      { a: 'two\nlines', b: 'ñ', c: false, d: [], e: {}, f: '2025-01-02', g: 0.5 },
    ];
    expect(await writeCsvFiles(join(folder, 'new'), { t: () => rows })).toEqual({ t: 2 });
    expect(await readFile(join(folder, 'new', 't.csv'), 'utf8')).toBe(
      'a,b,c,d,e,f,g\n,"",true,"[""x,"",null]","{""k"":""\\""""}",2025-01-02 15:30:45.123,7\n' +
        '"two\nlines",ñ,false,[],{},2025-01-02,0.5\n',
    );
  });

  it('holds every row, whatever stands in it, also when written again', async () => {
    const { users } = generate().mysql;
    for (let i = 0; i < 2; i++) expect(await writeCsvFiles(folder, { users })).toEqual({ users: 4000 });
    const read: Record<string, string>[] = [];
    for await (const row of parseString(await readFile(join(folder, 'users.csv'), 'utf8'), { headers: true }))
      read.push(row);
    const expected = [...users()].map((row) =>
      Object.fromEntries(Object.entries(row).map(([k, v]) => [k, String(v ?? '')])),
    );
    expect(read).toEqual(expected);
  });
});
