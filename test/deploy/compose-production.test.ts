import { createHash, randomBytes } from 'node:crypto';
import { appendFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPostgresql, type TestDatabase } from '../e2e/harness/databases';
import { buildImages, E2E_PREFIX } from '../e2e/harness/images';
import { createBucket } from '../e2e/harness/s3';
import { type Caller, callerOf } from '../faults/harness/caller';
import { runCommand } from '../services/command';
import { describeWith } from '../services/need';
import { freePort } from '../services/server-process';
import { type Composed, compose } from './compose';
import { standInImages } from './stand-in-images';

const PRODUCTION = 'docker-compose.production.yml';
const OVERLAY = 'docker-compose.socket-proxy.yml';
const QUICK = join(__dirname, 'fixtures/quick-health.yml');
const GATEWAYS = ['api-gateway', 'api-gateway-2'];
const UP = ['up', '--detach', '--wait', '--no-build'];
/** The names of production count over the plain ones. */
const REMOTE: Record<string, string> = { POSTGRES_DATABASE: 'POSTGRES_DB_REMOTE' };

/** What `docker inspect` tells of a container, as far as it matters here. */
interface Inspected {
  Id: string;
  Config: { User: string; Env: string[] };
  HostConfig: { GroupAdd: string[] | null; ReadonlyRootfs: boolean };
  State: { Health?: { Status: string } };
  Mounts: { Destination: string }[];
  NetworkSettings: { Networks: Record<string, unknown> };
}

/**
 * As an operator brings it up, with databases and a bucket elsewhere: the real images, a key, the balancer's port. Seen to fail:
 * the first with `proxy_next_upstream off` in nginx.conf (readers got 503 while a gateway was replaced), the second without the
 * overlay's `volumes: !override` (the gateways kept the socket).
 */
describeWith(['compose', 'docker', 'postgresql', 's3'], 'the production deployment, brought up', () => {
  const key = `ing_${randomBytes(32).toString('base64url')}`;
  let database: TestDatabase;
  let settings: Record<string, string>;
  let shell: Record<string, string>;
  let operator: Caller;
  let composed: Composed | undefined;

  beforeAll(async () => {
    await buildImages('gateway', 'postgresql');
    database = await createPostgresql();
    await database.query('CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2)');
    const port = await freePort();
    operator = callerOf(`http://127.0.0.1:${port}`, { Authorization: `Bearer ${key}` });
    const remote = Object.entries(database.settings(true)).map(([name, value]) => [
      REMOTE[name] ?? `${name}_REMOTE`,
      value,
    ]);
    settings = {
      ...Object.fromEntries(remote),
      ...(await createBucket()).settings(true),
      ...{ POSTGRES_HOST: 'nowhere.invalid', IMAGE_PREFIX: E2E_PREFIX, HTTP_PORT: String(port), PACKS: 'none' },
      API_KEYS: `operator:${createHash('sha256').update(key).digest('hex')}:*`,
      INGESTA_API_KEY: key,
    };
    shell = { DOCKER_GID: String((await stat('/var/run/docker.sock')).gid) };
  }, 300_000);
  afterEach(async () => {
    await composed?.remove();
    composed = undefined;
  }, 120_000);
  afterAll(() => database?.drop());

  const ingest = async () => {
    const { status, body } = await operator.post();
    expect([status, body.error, body.result?.orders?.registros]).toEqual([200, undefined, 2]);
  };
  const inspect = async (service: string): Promise<Inspected> => {
    const id = await composed!.container(service);
    return JSON.parse(await runCommand('docker', ['inspect', id]))[0];
  };

  it('serves runs and readers behind the balancer, while its gateways are replaced one after the other', async () => {
    composed = await compose([PRODUCTION, QUICK, ...(await standInImages('nginx')).files], settings, shell);
    await composed.run(...UP);
    const before = await Promise.all(GATEWAYS.map(inspect));
    for (const { Config, State } of before)
      expect([Config.User, State.Health?.Status]).toEqual(['1000:1000', 'healthy']);
    expect((await callerOf(operator.url).get('/api/ingesta/postgresql/latest')).status).toBe(401);
    await ingest();

    let going = true;
    const seen: number[] = [];
    const reader = (async () => {
      for (; going; await sleep(100)) seen.push((await operator.get('/api/ingesta/postgresql/latest')).status);
    })();
    // A changed setting, so that there is something to replace.
    await appendFile(join(composed.home, 'settings.env'), 'LOG_LEVEL=debug\n');
    for (const gateway of GATEWAYS) await composed.run('up', '--detach', '--no-deps', '--wait', '--no-build', gateway);
    const after = await Promise.all(GATEWAYS.map(inspect));
    const ids = [...before, ...after].map(({ Id }) => Id);
    expect(new Set(ids).size).toBe(4);
    await ingest();
    going = false;
    await reader;
    expect(seen.filter((status) => status !== 200)).toEqual([]);

    // And as cron does it; which other images this machine has is not the test's business.
    expect(await composed.run('run', '--rm', 'ingesta', 'postgresql')).toContain('postgresql: 1 tables, 2 rows');
  }, 300_000);

  it('works with a socket proxy, and then no gateway has Docker’s socket', async () => {
    const files = [PRODUCTION, OVERLAY, QUICK, ...(await standInImages('nginx', 'socket-proxy')).files];
    composed = await compose(files, settings, shell);
    await composed.run(...UP);
    for (const gateway of await Promise.all(GATEWAYS.map(inspect))) {
      expect(gateway.HostConfig.GroupAdd ?? []).toEqual([]);
      expect(gateway.Mounts.map(({ Destination }) => Destination)).not.toContain('/var/run/docker.sock');
      expect(gateway.State.Health?.Status).toBe('healthy');
    }
    // Nobody but the gateways reaches the proxy: scripts join the balancer's network.
    const [proxy, balancer] = await Promise.all(['socket-proxy', 'nginx'].map(inspect));
    const networksOf = ({ NetworkSettings }: Inspected) => Object.keys(NetworkSettings.Networks);
    expect(networksOf(proxy!).filter((name) => networksOf(balancer!).includes(name))).toEqual([]);
    await ingest();
    expect((await operator.get('/api/ingesta/health')).body.runner).toMatchObject({ state: 'ok' });
    // What a gateway has no need of, whoever took one over does not get either.
    const look = `fetch('http://socket-proxy:2375/volumes').then(({ status }) => console.log(status))`;
    expect((await composed.run('exec', '-T', 'api-gateway', '/usr/local/bin/node', '-e', look)).trim()).toBe('403');
  }, 300_000);
});
