import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeWith } from '../services/need';
import { startTestGateway } from './harness/gateway';
import { buildForeignSource, E2E_PREFIX } from './harness/images';

describeWith(['docker'], 'a new folder in another language', () => {
  it.each(['docker', 'process'])('is listed and run without a change to the gateway (%s)', async (runner) => {
    const foreign = await buildForeignSource('notas');
    const lake = await mkdtemp(join(tmpdir(), 'ingesta-notas-'));
    // The docker runner knows it by its image alone.
    const scripts: Record<string, string> = runner === 'process' ? { SCRIPTS_DIR: foreign.scripts } : {};
    const gateway = await startTestGateway({
      RUNNER: runner,
      IMAGE_PREFIX: E2E_PREFIX,
      LAKE_URL: pathToFileURL(lake).href,
      NOTAS_AUTHOR: 'Ana',
      ...scripts,
    });
    try {
      const listed = await gateway.get('/api/ingesta');
      expect(listed.body.sources).toContainEqual(
        expect.objectContaining({ name: 'notas', title: 'Notas', present: true }),
      );
      const { status, body } = await gateway.post('notas');
      expect({ status, body }).toMatchObject({ status: 200, body: { result: { notas: { registros: 2 } } } });
      expect(await readFile(new URL(body.result.notas.url), 'utf8')).toBe(
        'id,author,text\n1,Ana,"hello, world"\n2,Ana,\n',
      );
      const health = await gateway.get('/health');
      expect(health.body.data_availability.notas).toEqual({ notas: true });
    } finally {
      await gateway.stop();
      await foreign.remove();
      await rm(lake, { recursive: true, force: true });
    }
  });
});
