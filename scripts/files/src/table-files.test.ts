import { kindOf, nameTables } from './table-files';

describe('tables and their files', () => {
  it('are told by the extension', () => {
    expect(kindOf('a/b.CSV')).toEqual({ kind: 'csv', gzipped: false });
    expect(kindOf('b.tsv.gz')).toEqual({ kind: 'tsv', gzipped: true });
    expect(kindOf('b.ndjson')).toEqual({ kind: 'json-lines', gzipped: false });
    for (const path of ['a.xlsx', 'a.json', 'a.gz', 'csv', 'a.csv.zip', 'a/.csv', 'a.constructor'])
      expect(kindOf(path)).toBeNull();
  });

  const names = (...paths: string[]) => paths.map((path) => nameTables(paths).get(path));

  it('are called by the file, and the folders on the way', () => {
    expect(names('ventas.csv', '2024/ventas.csv.gz', 'a/b/c.d.jsonl')).toEqual(['ventas', '2024.ventas', 'a.b.c.d']);
  });

  it('are told apart by the extension, or by the path', () => {
    expect(names('v.csv', 'v.jsonl', 'w.csv')).toEqual(['v.csv', 'v.jsonl', 'w']);
    expect(names('v.csv', 'v.csv.gz')).toEqual(['v.csv', 'v.csv.gz']);
    expect(names('a.b.csv', 'a/b.csv')).toEqual(['a.b.csv', 'a/b.csv']);
    expect(new Set(names('v.csv', 'v.tsv', 'v.csv.csv')).size).toBe(3);
    expect(names('__proto__.csv')).toEqual(['__proto__']);
  });
});
