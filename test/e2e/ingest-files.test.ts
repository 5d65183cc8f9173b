import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeWith } from '../services/need';
import { startTestGateway, type TestGateway } from './harness/gateway';
import { buildImages, E2E_PREFIX } from './harness/images';

const DELIVERED = 'producto_id;nombre;clave\nprod001;Cámara;x\nprod002;;y\n';
const EXPECTED = 'producto_id,nombre\nprod001,Cámara\nprod002,\n';

async function delivery() {
  const lake = await mkdtemp(join(tmpdir(), 'ingesta-files-e2e-'));
  await mkdir(join(lake, 'entregas/ventas'), { recursive: true });
  await writeFile(join(lake, 'entregas/ventas/productos.csv'), DELIVERED);
  const settings = { LAKE_URL: pathToFileURL(lake).href, FILES_LAKE_PREFIX: 'entregas/ventas' };
  return { settings, remove: () => rm(lake, { recursive: true, force: true }) };
}

/** The gateway names the lake once; the script reads from the lake that it writes to. */
async function expectExport(gateway: TestGateway): Promise<void> {
  const plan = await gateway.post('files', { dry_run: true });
  expect(plan).toMatchObject({ status: 200, body: { plan: { productos: { dropped_columns: [{ name: 'clave' }] } } } });
  const { status, body } = await gateway.post('files');
  expect({ status, body }).toMatchObject({ status: 200, body: { consistency: 'none' } });
  expect(await readFile(new URL(body.result.productos.url), 'utf8')).toBe(EXPECTED);
}

describe('files delivered into the lake', () => {
  it('enter by a process', async () => {
    const { settings, remove } = await delivery();
    const gateway = await startTestGateway({ ...settings, RUNNER: 'process' });
    try {
      await expectExport(gateway);
    } finally {
      await gateway.stop();
      await remove();
    }
  });
});

describeWith(['docker'], 'files delivered into the lake', () => {
  it('enter by a container', async () => {
    await buildImages('files');
    const { settings, remove } = await delivery();
    const gateway = await startTestGateway({ ...settings, RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX });
    try {
      await expectExport(gateway);
    } finally {
      await gateway.stop();
      await remove();
    }
  });
});
