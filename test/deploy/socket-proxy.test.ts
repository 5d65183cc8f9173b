import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTestGateway, type TestGateway } from '../e2e/harness/gateway';
import { buildImages, E2E_PREFIX } from '../e2e/harness/images';
import { describeWith, haproxyProgram } from '../services/need';
import { freePort, startServer } from '../services/server-process';
import { settled } from '../settled';

const SHIPPED = join(__dirname, '../../deploy/socket-proxy/haproxy.cfg');

describeWith(['docker', 'haproxy'], 'a gateway that has Docker’s socket only through the proxy', () => {
  let folder: string;
  let port: number;
  let proxy: { stop(): Promise<void> };
  let gateway: TestGateway;

  beforeAll(async () => {
    await buildImages('files');
    folder = await mkdtemp(join(tmpdir(), 'ingesta-socket-'));
    port = await freePort();
    const shipped = await readFile(SHIPPED, 'utf8');
    const bound = shipped.replace('bind :2375', `bind 127.0.0.1:${port}`);
    expect(bound).not.toBe(shipped);
    await writeFile(join(folder, 'haproxy.cfg'), bound);
    proxy = await startServer(
      {
        command: haproxyProgram(),
        args: ['-f', join(folder, 'haproxy.cfg')],
        cwd: folder,
        logFile: join(folder, 'haproxy.log'),
      },
      () => fetch(`http://127.0.0.1:${port}/_ping`),
    );
    await mkdir(join(folder, 'lake/in'), { recursive: true });
    await writeFile(join(folder, 'lake/in/people.csv'), 'id,name\n1,a\n2,b\n');
    for (const path of [folder, join(folder, 'lake'), join(folder, 'lake/in')]) await chmod(path, 0o777);
    gateway = await startTestGateway({
      ...{ DOCKER_HOST: `tcp://127.0.0.1:${port}`, RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX, PACKS: 'none' },
      ...{ LAKE_URL: pathToFileURL(join(folder, 'lake')).href, FILES_LAKE_PREFIX: 'in' },
    });
  }, 300_000);
  afterAll(async () => {
    await gateway?.stop();
    await proxy?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('ingests: the job goes in, progress and result come out', async () => {
    const { status, body } = await gateway.post('files');
    expect([status, body.error, body.result?.people?.registros]).toEqual([200, undefined, 2]);
    // Of stderr, which comes the same way; and a dry run leaves nothing in the lake that could stand in for stdout.
    const run = (await gateway.get(`/api/ingesta/runs/${body.run_id}`)).body;
    expect(run.progress).toMatchObject({ people: { state: 'finished', rows: 2 } });
    const planned = await gateway.post('files', { dry_run: true });
    expect([planned.status, planned.body.error]).toEqual([200, undefined]);
    // The images describe themselves one after the other.
    const { body: health } = await settled(
      () => gateway.get('/api/ingesta/health'),
      ({ body }) => body.images.files?.state === 'ok',
    );
    expect(health.images.files).toMatchObject({ state: 'ok' });
  });

  /** As it stands: `fetch` would tidy the path up. */
  const ask = (method: string, path: string) =>
    new Promise<number>((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, method, path }, (answer) => {
        answer.resume();
        resolve(answer.statusCode!);
      });
      call.on('error', reject).end();
    });

  it.each([
    ...['GET /volumes', 'POST /volumes/create', 'GET /networks', 'POST /build', 'GET /secrets', 'POST /swarm/init'],
    ...['POST /images/create?fromImage=evil', 'DELETE /images/x', 'POST /containers/abc/exec', 'POST /exec/abc/start'],
    ...['GET /containers/abc/logs', 'PUT /containers/abc/archive', 'POST /containers/abc/update', 'GET /events'],
    ...[
      'GET /images/x/../../volumes/json',
      'GET /images/a%2f..%2f..%2fvolumes/json',
      'GET /v1.41/volumes',
      'POST /_ping',
    ],
    ...['POST /containers/prune', 'GET /containers/self/json', 'DELETE /containers/abc/exec'],
  ])('lets %s not through', async (call) => {
    const [method, path] = call.split(' ') as [string, string];
    expect(await ask(method, path)).toBe(403);
  });
});
