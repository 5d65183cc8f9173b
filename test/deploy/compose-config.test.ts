import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describeWith } from '../services/need';
import { type Composed, compose } from './compose';

const ROOT = join(__dirname, '../..');
const settingsOf = (file: string) => parseEnv(readFileSync(join(ROOT, file), 'utf8')) as Record<string, string>;

interface Service {
  image: string;
  environment?: Record<string, string>;
  ports?: { host_ip?: string; published: string; target: number }[];
  volumes?: { source: string; target: string; read_only?: boolean }[];
  group_add?: string[];
}

describeWith(['compose'], 'the compose files, read by Docker Compose itself', () => {
  let composed: Composed | undefined;
  afterEach(() => composed?.remove());
  const read = async (...args: Parameters<typeof compose>) => {
    composed = await compose(...args);
    return JSON.parse(await composed.run('config', '--format', 'json')) as {
      services: Record<string, Service>;
      networks: Record<string, { name: string }>;
    };
  };

  it('the local one is the gateway alone, with every setting of its file', async () => {
    const { services, networks } = await read(
      'docker-compose.yml',
      { ...settingsOf('.env.example'), PORT: '8123', MYSQL_HOST: 'db', IMAGE_TAG: '1.2.3' },
      { DOCKER_GID: '998' },
    );
    expect(Object.keys(services)).toEqual(['api-gateway']);
    const { image, environment, ports, group_add, volumes } = services['api-gateway']!;
    expect(image).toBe('ingesta-gateway:1.2.3');
    // In the container the port is always the same one; the file's is this machine's.
    expect(environment).toMatchObject({ PORT: '8000', HOST: '0.0.0.0', MYSQL_HOST: 'db' });
    expect(ports).toEqual([expect.objectContaining({ host_ip: '127.0.0.1', published: '8123', target: 8000 })]);
    expect(group_add).toEqual(['998']);
    // Script containers find what runs beside the gateway.
    expect(environment!.DOCKER_NETWORK).toBe(networks.default!.name);
    const aws = volumes!.find(({ target }) => target === '/home/node/.aws');
    expect(aws).toMatchObject({ source: join(composed!.home, '.aws'), read_only: true });
  });

  it.each([
    ['docker-compose.yml', '.env.example'],
    ['docker-compose.production.yml', '.env.production.example'],
  ])(
    '%s hands a value on as it stands in single quotes, which %s tells of and Node reads alike',
    async (file, example) => {
      const text = readFileSync(join(ROOT, example), 'utf8');
      const [, quoted = ''] = /in single quotes,[\s#]+('[^']* [^']*')/.exec(text) ?? [];
      expect(quoted).toMatch(/^'.*\$\w.* #.*'$/);
      const { services } = await read(file, { MYSQL_PASSWORD: quoted }, { DOCKER_GID: '998' });
      const given = services['api-gateway']!.environment!.MYSQL_PASSWORD!;
      // What is printed is a compose file again, where $$ is a dollar.
      expect(given.replaceAll('$$', '$')).toBe(quoted.slice(1, -1));
      expect(parseEnv(`MYSQL_PASSWORD=${quoted}`)).toEqual({ MYSQL_PASSWORD: quoted.slice(1, -1) });
    },
  );

  it.each(['docker-compose.yml', 'docker-compose.production.yml'])(
    '%s hands the scripts’ network on, and makes none of that name',
    async (file) => {
      const { services, networks } = await read(file, { DOCKER_NETWORK: 'host', DOCKER_GID: '998' });
      expect(services['api-gateway']!.environment).toMatchObject({ DOCKER_NETWORK: 'host' });
      expect(networks.default!.name).toMatch(/^ingesta-/);
    },
  );

  it('the demo has its databases, its S3 server and its balancer besides, and they know each other', async () => {
    const { services } = await read('docker-compose.yml', settingsOf('demo/compose.env'));
    expect(Object.keys(services).sort()).toEqual(
      ['api-gateway', 'cassandra', 'mongodb', 'mysql', 'nginx', 'postgres', 's3', 'sample-data'].sort(),
    );
    const { environment } = services['api-gateway']!;
    const hosts = ['MYSQL_HOST', 'POSTGRES_HOST', 'CASSANDRA_HOST', 'MONGO_HOST'].map((name) => environment![name]!);
    expect([...hosts, new URL(environment!.AWS_ENDPOINT_URL_S3!).hostname].filter((host) => !services[host])).toEqual(
      [],
    );
  });

  it('the production one has two gateways and the balancer, and wants to know the socket’s group', async () => {
    const settings = settingsOf('.env.production.example');
    const { services } = await read('docker-compose.production.yml', settings, { DOCKER_GID: '998' });
    expect(Object.keys(services).sort()).toEqual(['api-gateway', 'api-gateway-2', 'nginx']);
    const published = Object.entries(services).flatMap(([name, { ports }]) => (ports ?? []).map(() => name));
    expect(published).toEqual(['nginx']);
    expect(services['api-gateway-2']!.environment).toMatchObject({
      ENVIRONMENT: 'production',
      MYSQL_SSL_MODE: 'require',
      // Else every caller has the balancer's address, and is locked out with the first that has a bad key.
      TRUST_PROXY: '1',
    });
    await composed!.remove();
    await expect(read('docker-compose.production.yml', { ...settings, DOCKER_GID: '' })).rejects.toThrow(/DOCKER_GID/);
    composed = undefined;
  });

  it('with the socket proxy no gateway has the socket, nor its group', async () => {
    const files = ['docker-compose.production.yml', 'docker-compose.socket-proxy.yml'];
    const { services } = await read(files, settingsOf('.env.production.example'), { DOCKER_GID: '998' });
    const withSocket = Object.keys(services).filter((name) =>
      (services[name]!.volumes ?? []).some(({ source }) => source === '/var/run/docker.sock'),
    );
    expect(withSocket).toEqual(['socket-proxy']);
    for (const name of ['api-gateway', 'api-gateway-2']) {
      const { group_add, environment, volumes } = services[name]!;
      expect([group_add ?? [], environment!.DOCKER_HOST]).toEqual([[], 'tcp://socket-proxy:2375']);
      expect(volumes!.map(({ target }) => target)).toContain('/home/node/.aws');
    }
  });
});
