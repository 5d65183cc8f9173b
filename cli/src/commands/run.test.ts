import type { Context, Options } from '../context';
import { failure, givenGateway, json } from '../testing/given-gateway';
import { run } from './run';

const source = (name: string, more: object = {}) => ({
  name,
  present: true,
  missing_env: ['MYSQL_HOST is not set'],
  last_run: null,
  ...more,
});
const planned = json(200, { status: 'planned', plan: {} });

it.each([
  ['it was never ingested', json(404, failure('NOT_FOUND')), false],
  ['it has a snapshot', json(200, { run_id: 'run-1' }), true],
  ['the lake is away', json(502, failure('LAKE_UNAVAILABLE')), true],
])('goes by what the gateway tells of a source that lacks something: %s', async (_, latest, runs) => {
  const sources = [source('files', { missing_env: [] }), source('mysql'), source('known', { last_run: {} })];
  const { gateway, asked, close } = await givenGateway([json(200, { sources }), latest, planned, planned, planned]);
  const said: string[] = [];
  const context = {
    gateway,
    options: {
      all: true,
      dryRun: true,
      parallel: 1,
      timeoutMs: null,
      retryForMs: 0,
      json: false,
      slot: null,
    } as Options,
    out: () => undefined,
    say: (line: string) => said.push(line),
    signal: new AbortController().signal,
  } as unknown as Context;
  try {
    expect(await run({ ...context, options: { ...context.options, tables: null, idempotencyKey: null } }, [])).toBe(0);
  } finally {
    await close();
  }
  const posts = asked.filter(({ method }) => method === 'POST').map(({ path }) => path.split('/').at(-1));
  expect(posts).toEqual(runs ? ['files', 'mysql', 'known'] : ['files', 'known']);
  expect(said.filter((line) => line.includes('left out'))).toHaveLength(runs ? 0 : 1);
});
