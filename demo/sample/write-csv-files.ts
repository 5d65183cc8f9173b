import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CsvWriter } from '@ingesta/kit';
import type { Loaded } from './load';

/** Tables by name; each call streams the rows, all of them with the same columns. */
export type Tables = Readonly<Record<string, () => Iterable<object>>>;

/**
 * Writes every table as `<folder>/<table>.csv`, the way the databases' own scripts would: NULL empty, '' quoted, lists
 * and maps as JSON, instants in UTC. Replaces files of these names; memory stays bounded. Gives the rows of
 * each table.
 */
export async function writeCsvFiles(folder: string, tables: Tables): Promise<Loaded> {
  await mkdir(folder, { recursive: true });
  const written: Loaded = {};
  for (const [table, rows] of Object.entries(tables)) {
    const count = (n: number) => {
      written[table] = n;
    };
    await pipeline(csvOf(rows(), count), createWriteStream(join(folder, `${table}.csv`)));
  }
  return written;
}

async function* csvOf(rows: Iterable<object>, count: (rows: number) => void): AsyncGenerator<Uint8Array> {
  const writer = new CsvWriter();
  let number = 0;
  for (const row of rows) {
    if (number === 0) writer.header(Object.keys(row));
    for (const value of Object.values(row)) {
      if (value === null || value === undefined) writer.null();
      else writer.string(textOf(value));
    }
    writer.endRow();
    number += 1;
    for (const { data } of writer.take()) yield data;
  }
  for (const { data } of writer.flush()) yield data;
  count(number);
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T([\d:.]+)Z$/;

function textOf(value: unknown): string {
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value).replace(INSTANT, '$1 $2');
}
