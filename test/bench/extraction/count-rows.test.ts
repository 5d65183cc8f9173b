import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countCsv, countCsvFolder, countLines } from './count-rows';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingesta-count-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('line breaks inside quotes are text, doubled quotes do not end a field', async () => {
  const path = join(folder, 'a.csv');
  await writeFile(path, 'id,note\n1,"two\nlines"\n2,"a ""quote""\n\n"\n3,\n');
  expect(await countCsv(path)).toEqual({ rows: 3, bytes: 43 });
});

test('a file that ends inside a quoted field is an error', async () => {
  await writeFile(join(folder, 'a.csv'), 'id\n"1\n');
  await expect(countCsv(join(folder, 'a.csv'))).rejects.toThrow('inside a quoted field');
});

test('the files of a folder and its folders are summed up, each without its header', async () => {
  await mkdir(join(folder, 'sub'));
  await writeFile(join(folder, 'a.csv'), 'id\n1\n2\n');
  await writeFile(join(folder, 'sub/b.csv'), 'id\n3\n');
  await writeFile(join(folder, 'state.json'), '{}\n');
  expect(await countCsvFolder(folder)).toEqual({ rows: 3, bytes: 12 });
});

test('in a text with a line per row, quotes mean nothing', async () => {
  await writeFile(join(folder, 'a.tsv'), 'id\n1 "\n2\n');
  expect(await countLines(join(folder, 'a.tsv'))).toEqual({ rows: 2, bytes: 9 });
});
