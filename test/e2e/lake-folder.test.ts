import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTestGateway } from './harness/gateway';

describe('a lake in a folder that can be none', () => {
  it('is refused at start where it is below /proc', async () => {
    const starting = startTestGateway({ LAKE_URL: 'file:///proc/x', PACKS: 'none' });
    await expect(starting).rejects.toThrow(/LAKE_URL: \/proc\/x .*keeps no files/);
  });

  it('fails runs with the reason where a link leads there, and the gateway goes on and can be stopped', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ingesta-link-'));
    await symlink('/proc', join(folder, 'link'));
    const gateway = await startTestGateway({
      LAKE_URL: pathToFileURL(join(folder, 'link/x')).href,
      RUNNER: 'process',
      SCRIPTS_DIR: join(__dirname, '../../scripts'),
      FILES_PATH: folder,
      PACKS: 'none',
    });
    try {
      expect(await gateway.post('files')).toMatchObject({ status: 502, body: { error: { code: 'LAKE_DENIED' } } });
      expect((await gateway.get('/livez')).status).toBe(200);
    } finally {
      expect(await gateway.stop()).toBe(0);
      await rm(folder, { recursive: true });
    }
  });
});
