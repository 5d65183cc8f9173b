import { CsvWriter, type TableSelection } from '@ingesta/kit';
import { Types } from 'mysql2';
import { RowEncoder } from './row-encoder';
import type { WireColumn } from './wire-columns';

const wire = (columnType: number): WireColumn => ({
  ...{ name: 'a', schema: '', orgTable: '', orgName: '', characterSet: 63, flags: 0, columnLength: 12, decimals: 31 },
  columnType,
});
const selection = {
  columns: [{ name: 'a', source_type: 'double', logical_type: 'float', nullable: true }],
  isSensitiveKey: () => false,
} as unknown as TableSelection;

describe('RowEncoder', () => {
  it('refuses what it could only read as something else: four bytes of a FLOAT, and other columns than asked for', () => {
    const encoder = (columns: WireColumn[]) => new RowEncoder(new CsvWriter(), selection, columns);
    expect(() => encoder([wire(Types.FLOAT)])).toThrow(/FLOAT/);
    expect(() => encoder([wire(Types.DOUBLE), wire(Types.DOUBLE)])).toThrow(/does not fit the query/);
  });

  it.each([
    ['a value that goes on behind the row', [0, 0, 1, 2, 3]],
    ['bytes behind the last value', [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['no value at all', [0, 0]],
  ])('refuses a row with %s', (_, bytes) => {
    const encoder = new RowEncoder(new CsvWriter(), selection, [wire(Types.DOUBLE)]);
    const header = [bytes.length, 0, 0, 1];
    const packet = Buffer.from([...header, ...bytes]);
    expect(encoder.many(packet, 0, packet.length)).toBe(0);
    expect(() => encoder.row(packet, header.length, packet.length)).toThrow(/does not fit the query/);
  });
});
