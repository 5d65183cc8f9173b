import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { runCommand } from '../services/command';
import { describeWith, podmanHost } from '../services/need';
import { settled } from '../settled';
import { startTestGateway, type TestGateway } from './harness/gateway';
import { buildImages, E2E_PREFIX } from './harness/images';

/** A rootful one; a rootless one on cgroups v1 is refused (gateway/src/runners/docker-limits.test.ts). */
describeWith(['docker', 'podman'], 'Podman in the place of Docker', () => {
  let folder: string;
  let gateway: TestGateway;
  const podman = (...args: string[]) => runCommand('docker', ['--host', podmanHost(), ...args]);

  beforeAll(async () => {
    await buildImages('files');
    const image = `${E2E_PREFIX}files:latest`;
    await promisify(execFile)('sh', ['-c', `docker save ${image} | docker --host ${podmanHost()} load`]);
    folder = await mkdtemp(join(tmpdir(), 'ingesta-podman-lake-'));
    await mkdir(join(folder, 'in'));
    await writeFile(join(folder, 'in/people.csv'), 'id,name,password\n1,a,x\n2,b,y\n');
    // Its containers are uid 1000.
    for (const path of [folder, join(folder, 'in')]) await chmod(path, 0o777);
    gateway = await startTestGateway({
      ...{ DOCKER_HOST: podmanHost(), RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX, PACKS: 'none' },
      ...{ LAKE_URL: pathToFileURL(folder).href, FILES_LAKE_PREFIX: 'in' },
    });
  }, 300_000);
  afterAll(async () => {
    await gateway?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('has the image, runs it with its job on stdin, and keeps no container', async () => {
    // The first container of an image takes its time here.
    const { body: health } = await settled(
      () => gateway.get('/api/ingesta/health'),
      ({ body }) => body.images.files?.state === 'ok',
    );
    expect(health.runner).toMatchObject({ state: 'ok', detail: 'runner docker' });
    expect(health.images.files).toMatchObject({ state: 'ok' });
    const { status, body } = await gateway.post('files');
    expect([status, body.error, body.result?.people?.registros]).toEqual([200, undefined, 2]);
    expect(body.result.people.dropped_columns).toHaveLength(1);
    expect((await gateway.get(`/api/ingesta/runs/${body.run_id}`)).body).toMatchObject({
      runner: 'docker',
      progress: { people: { state: 'finished', rows: 2 } },
    });
    expect(await podman('ps', '--all', '--quiet')).toBe('');
  });

  it('tells a failing script from a failing engine', async () => {
    const { status, body } = await gateway.post('files', { tables: ['absent'] });
    expect([status, body.error.code]).toEqual([422, 'TABLE_NOT_FOUND']);
  });
});
