import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(__dirname, '../..');

interface Service {
  image: string;
  init?: boolean;
  profiles?: string[];
  ports?: string[];
  volumes?: string[];
  networks?: { default: { aliases: string[] } };
  depends_on?: Record<string, unknown>;
}
const servicesOf = (file: string): Record<string, Service> =>
  parse(readFileSync(join(ROOT, file), 'utf8'), { merge: true }).services;

const local = servicesOf('docker-compose.yml');
const production = servicesOf('docker-compose.production.yml');
const nginx = readFileSync(join(ROOT, 'deploy/nginx/nginx.conf'), 'utf8');

it.each([
  ['docker-compose.yml', local],
  ['docker-compose.production.yml', production],
])('%s names nothing that is not there', (_, services) => {
  for (const { depends_on, volumes } of Object.values(services)) {
    for (const name of Object.keys(depends_on ?? {})) expect(Object.keys(services)).toContain(name);
    // demo/dist is built.
    const mounts = (volumes ?? []).map((text) => text.split(':')[0]!).filter((path) => /^\.\/(?!.*dist)/.test(path));
    expect(mounts.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  }
});

it.each([
  ['docker-compose.yml', local],
  ['docker-compose.production.yml', production],
])('%s ends whatever runs Node at once when it is told to', (_, services) => {
  const node = Object.keys(services).filter((name) => /gateway:|NODE_IMAGE/.test(services[name]!.image));
  expect(node.length).toBeGreaterThan(1);
  expect(node.filter((name) => services[name]!.init !== true)).toEqual([]);
});

it('the local one publishes on the loopback interface only, at the ports that people know', () => {
  const published = Object.values(local).flatMap(({ ports }) => ports ?? []);
  expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  // Each may be another one where it is taken.
  expect(published.filter((port) => !/:\$\{[A-Z0-9_]+:-\d+\}:\d+$/.test(port))).toEqual([]);
  const at = (name: string) => local[name]?.ports?.[0]?.replace(/^.*-(\d+)\}/, '$1');
  expect({
    ...{ mysql: at('mysql'), postgres: at('postgres'), cassandra: at('cassandra'), mongodb: at('mongodb') },
    nginx: at('nginx'),
  }).toEqual({
    ...{ mysql: '3307:3306', postgres: '5432:5432', cassandra: '9042:9042', mongodb: '27017:27017' },
    nginx: '80:80',
  });
  expect(local['api-gateway']!.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:.*8000\}:8000$/)]);
});

it('without the profile demo there is only the gateway', () => {
  const plain = Object.keys(local).filter((name) => local[name]!.profiles === undefined);
  expect(plain).toEqual(['api-gateway']);
});

it('production has two gateways, which only the balancer publishes', () => {
  const gateways = Object.keys(production).filter((name) => production[name]!.networks?.default.aliases);
  expect(gateways).toEqual(['api-gateway', 'api-gateway-2']);
  for (const name of gateways) expect(production[name]!.networks!.default.aliases).toEqual(['analytics_api']);
  const publishing = Object.keys(production).filter((name) => production[name]!.ports);
  expect(publishing).toEqual(['nginx']);
});

it('Prometheus asks each gateway by its service’s name', () => {
  const { scrape_configs } = parse(readFileSync(join(ROOT, 'deploy/prometheus/prometheus.yml'), 'utf8'));
  expect(scrape_configs[0].static_configs[0].targets).toEqual(['api-gateway:8000', 'api-gateway-2:8000']);
});

it('the balancer knows each gateway by its service’s name, for GETs and for POSTs', () => {
  const upstreams = [...nginx.matchAll(/upstream (\w+) \{([^}]*)\}/g)];
  expect(upstreams.map(([, name]) => name)).toEqual(['gateways', 'launches']);
  for (const [, , body] of upstreams) {
    expect([...body!.matchAll(/server (\S+):8000 resolve/g)].map(([, name]) => name)).toEqual([
      'api-gateway',
      'api-gateway-2',
    ]);
  }
});
