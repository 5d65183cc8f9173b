import { collectGarbage } from '@ingesta/kit';
import { composeAnswer } from './answer';
import type { ResultSet, SqlValue } from './engines/engine';
import type { RouteStatement, StatementKind } from './packs/pack';

const statement = (name: string, kind: StatementKind): RouteStatement => ({
  path: name === '.' ? [] : name.split('.'),
  kind,
  ...{ sql: '', binds: [], shared: [], needs: [], line: 1, columns: [] },
});
const result = (names: string[], ...rows: SqlValue[][]): ResultSet => ({
  columns: names.map((name) => ({ name, type: 'string' })),
  rows,
});
const compose = (...parts: [string, StatementKind, ResultSet][]): string =>
  composeAnswer(
    '2025-01-02',
    parts.map(([name, kind]) => statement(name, kind)),
    parts.map(([, , set]) => set),
  ).toString();

describe('composing an answer', () => {
  it('puts each result under its name, in the order of the statements', () => {
    expect(
      compose(
        ['z.list', 'many', result(['b', 'a'], [1, 'x'], [2.5, null])],
        ['.', 'one', result(['n', 'ok'], [7, true])],
        ['z.row', 'one', result(['n'], [null])],
        ['z.deep.value', 'value', result(['n'], ['9007199254740993'])],
      ),
    ).toBe(
      '{"as_of":"2025-01-02","z":{"list":[{"b":1,"a":"x"},{"b":2.5,"a":null}],"row":{"n":null},' +
        '"deep":{"value":"9007199254740993"}},"n":7,"ok":true}',
    );
  });

  it('makes nothing of no rows', () => {
    expect(
      compose(
        ['list', 'many', result(['a'])],
        ['row', 'one', result(['a', 'b'])],
        ['value', 'value', result(['a'])],
        ['pairs', 'map', result(['a', 'b'])],
      ),
    ).toBe('{"as_of":"2025-01-02","list":[],"row":{"a":null,"b":null},"value":null,"pairs":{}}');
  });

  it('keeps the order of a map, whatever its keys are called', () => {
    const rows: SqlValue[][] = [
      ['b', 3],
      ['2024', 2],
      ['__proto__', 1],
      ['"', 0],
      [null, null],
    ];
    const pairs = '{"b":3,"2024":2,"__proto__":1,"\\"":0,"null":null}';
    expect(compose(['.', 'map', result(['k', 'v'], ...rows)])).toBe(pairs);
    expect(compose(['p', 'map', result(['k', 'v'], ...rows)])).toBe(`{"as_of":"2025-01-02","p":${pairs}}`);
  });

  it('makes the bytes of a long list one row after the other, and no objects of all of them', () => {
    const names = Array.from({ length: 14 }, (_, column) => `column_${column}`);
    const rows = Array.from({ length: 50_000 }, (_, row) => names.map((_, column) => row * column));
    const last = rows.pop()!;
    const heap = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = heap();
    let atTheEnd = 0;
    Object.defineProperty(rows, rows.length, {
      get: () => {
        atTheEnd = heap();
        return last;
      },
    });
    const body = composeAnswer('2025-01-02', [statement('list', 'many')], [{ ...result(names), rows }]);
    expect(JSON.parse(body.toString()).list).toHaveLength(50_000);
    expect(atTheEnd - before).toBeLessThan(8e6);
  });

  it.each<StatementKind>(['one', 'value'])('refuses two rows for :%s', (kind) => {
    expect(() => compose(['a.b', kind, result(['n'], [1], [2])])).toThrow('"a.b" is');
  });
});
