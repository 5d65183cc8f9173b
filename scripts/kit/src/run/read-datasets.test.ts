import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDatasets } from './read-datasets';

describe('readDatasets', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ingesta-datasets-'));
    mkdirSync(join(folder, 'postgresql'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const put = (name: string, text = 'SELECT 1') => writeFileSync(join(folder, 'postgresql', name), text);
  const problem = (message: string) => ({ code: 'SOURCE_CONFIG', message: expect.stringContaining(message) });

  it('takes the files of the database by name, and nothing else', async () => {
    put('ventas.cql');
    put('ofertas_completo.sql', 'SELECT nombre FROM productos');
    put('recetas.json', '{}');
    put('README.md');
    expect(await readDatasets(folder, 'postgresql')).toEqual([
      { name: 'ofertas_completo', text: 'SELECT nombre FROM productos' },
      { name: 'recetas', text: '{}' },
      { name: 'ventas', text: 'SELECT 1' },
    ]);
    expect(await readDatasets(folder, 'mysql')).toEqual([]);
    expect(await readDatasets(join(folder, 'absent'), 'mysql')).toEqual([]);
  });

  it('refuses what cannot be one dataset', async () => {
    put('a.sql');
    put('a.json');
    await expect(readDatasets(folder, 'postgresql')).rejects.toMatchObject(problem('are called a'));
    rmSync(join(folder, 'postgresql', 'a.json'));
    put('mes actual.sql');
    await expect(readDatasets(folder, 'postgresql')).rejects.toMatchObject(problem('mes actual.sql is no name'));
    rmSync(join(folder, 'postgresql', 'mes actual.sql'));
    put('b.sql', 'x'.repeat(256 * 1024 + 1));
    await expect(readDatasets(folder, 'postgresql')).rejects.toMatchObject(problem('b.sql is over 256 KiB'));
  });

  it('says what it cannot read', async () => {
    writeFileSync(join(folder, 'mysql'), 'a file where the folder should be');
    await expect(readDatasets(folder, 'mysql')).rejects.toMatchObject(problem('(ENOTDIR)'));
    mkdirSync(join(folder, 'postgresql', 'c.sql'));
    await expect(readDatasets(folder, 'postgresql')).rejects.toMatchObject(problem('(EISDIR)'));
  });
});
