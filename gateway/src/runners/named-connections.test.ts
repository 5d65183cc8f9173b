import { parseConfig } from '../config';
import { ApiError } from '../errors';
import { compileJob } from '../ingest/job';
import { givenSource, givenSupplies } from '../testing/given';
import { NamedConnections } from './named-connections';
import type { Runner } from './runner';

const inner: Runner = {
  name: 'fake',
  list: async () => [
    { name: 'mysql', reference: 'ingesta-mysql:latest', present: true, title: 'MySQL' },
    {
      name: 'postgresql',
      reference: 'ingesta-postgresql:latest',
      present: false,
      title: 'PostgreSQL',
      hint: 'build it',
    },
  ],
  resolve: async (name) => givenSource({ name }),
  run: () => Promise.reject(new Error('not launched here')),
  reap: async () => [],
  check: async () => undefined,
  close: async () => undefined,
};
const ENV = {
  AWS_BUCKET_NAME: 'bucket',
  SOURCES: 'ventas=mysql:VENTAS_, stock=oracle:STOCK_',
  MYSQL_HOST: 'main.example',
  MYSQL_USER: 'reader',
  VENTAS_MYSQL_HOST: 'ventas.example',
  VENTAS_MYSQL_USER: 'vendor',
  VENTAS_MYSQL_TABLES: 'ventas',
};
const REQUEST = { tables: null, format: 'csv', dryRun: false } as const;
const RUN = {
  runId: 'r',
  attempt: 1,
  nonce: 'n',
  timestamp: '20250102_153045',
  deadline: new Date(0),
  gateway: 'g',
  epoch: 1,
};

const given = () => {
  const config = parseConfig(ENV);
  return { config, runner: new NamedConnections(inner, config.connections) };
};

it('lists each connection beside the sources', async () => {
  expect(await given().runner.list()).toEqual([
    expect.objectContaining({ name: 'mysql', present: true }),
    expect.objectContaining({ name: 'postgresql', present: false }),
    {
      name: 'stock',
      reference: 'oracle',
      present: false,
      title: 'stock',
      hint: 'SOURCES names oracle, which is no source',
    },
    { name: 'ventas', reference: 'ingesta-mysql:latest', present: true, title: 'MySQL' },
  ]);
});

it('names the connections, too, to who asks for an unknown source', async () => {
  const resolve = async (name: string) => {
    throw new ApiError('UNKNOWN_SOURCE', `There is no source "${name}"`, { hint: 'Known: mysql, postgresql.' });
  };
  const { connections } = given().config;
  const runner = new NamedConnections({ ...inner, resolve }, connections);
  await expect(runner.resolve('vents')).rejects.toMatchObject({
    message: 'There is no source "vents"',
    hint: 'Known: mysql, postgresql, stock, ventas.',
  });
});

it('gives the script its own variables under their plain names', async () => {
  const { config, runner } = given();
  const compile = async (name: string) =>
    compileJob(config, await runner.resolve(name), REQUEST, RUN, givenSupplies()).job;
  const ventas = await compile('ventas');
  expect(ventas.database).toBe('ventas');
  expect(ventas.env).toMatchObject({ MYSQL_HOST: 'ventas.example', MYSQL_USER: 'vendor', MYSQL_TABLES: 'ventas' });
  const main = await compile('mysql');
  expect(main.env).toMatchObject({ MYSQL_HOST: 'main.example', MYSQL_USER: 'reader' });
  expect(main.env).not.toHaveProperty('MYSQL_TABLES');
});

it('names what is missing as it must be set', async () => {
  const { runner } = given();
  const config = parseConfig({ ...ENV, VENTAS_MYSQL_HOST: '', VENTAS_MYSQL_USER: '' });
  const source = await runner.resolve('ventas');
  expect(() => compileJob(config, source, REQUEST, RUN, givenSupplies())).toThrow(
    /VENTAS_MYSQL_HOST.*VENTAS_MYSQL_USER/,
  );
  const local = parseConfig({ ...ENV, VENTAS_MYSQL_HOST: 'localhost' });
  expect(() => compileJob(local, source, REQUEST, RUN, givenSupplies())).toThrow(/VENTAS_MYSQL_HOST names localhost/);
});

it.each([
  'ventas',
  'ventas=mysql',
  'ventas=mysql:ventas_',
  'Ventas=mysql:V_',
  'health=mysql:V_',
  'a=mysql:A_,a=mysql:B_',
  'a=my sql:A_',
])('SOURCES=%s is a problem of the configuration', (SOURCES) => {
  expect(() => parseConfig({ ...ENV, SOURCES })).toThrow(/SOURCES/);
});

it('puts a connection in the place of the source of its name, which keeps its title', async () => {
  const { connections } = parseConfig({ ...ENV, SOURCES: 'mysql=postgresql:SAMPLE_' });
  const runner = new NamedConnections(inner, connections);
  expect((await runner.list())[0]).toMatchObject({
    name: 'mysql',
    reference: 'ingesta-postgresql:latest',
    title: 'MySQL',
  });
  expect(await runner.resolve('mysql')).toMatchObject({ name: 'mysql', envPrefix: 'SAMPLE_' });
});
