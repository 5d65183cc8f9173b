import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openLake } from '@ingesta/kit';
import { commitSnapshot } from '../../gateway/src/testing/commit-snapshot';
import { PackFolder } from '../../gateway/src/testing/given-packs';
import { runCommand } from '../services/command';
import { describeWith } from '../services/need';
import { settled } from '../settled';
import { ROOT, startTestGateway } from './harness/gateway';
import { buildImages, E2E_PREFIX } from './harness/images';

const DOCS = readFileSync(join(ROOT, 'docs/analytics.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...DOCS.matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map(([, text]) =>
    text!.replace(/^ {3}/gm, ''),
  );
const [SCHEMA, ROUTE] = blocks('sql');
const [, PATH, ANSWER] = /GET (\S+)\n\s+(\{.*\})/.exec(DOCS)!;

const ORDERS = `id,status,amount,created_at,note
1,paid,19.90,2026-11-03 08:00:00,"a
b"
2,paid,20.00,2026-10-29 23:59:59,
3,open,99.00,2026-10-01 00:00:00,
`;
const columns = [
  { name: 'id', logical_type: 'integer', source_type: 'int' },
  { name: 'status', logical_type: 'text', source_type: 'varchar(9)' },
  { name: 'amount', logical_type: 'decimal', source_type: 'decimal(9,2)' },
  { name: 'created_at', logical_type: 'timestamp', source_type: 'datetime' },
  { name: 'note', logical_type: 'text', source_type: 'text' },
] as const;

describe('a pack of one own, as docs/analytics.md writes it', () => {
  let folder: string;
  let lakeFolder: string;
  let packs: PackFolder;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-pack-'));
    lakeFolder = join(folder, 'lake');
    await mkdir(lakeFolder);
    const lake = await openLake({ LAKE_URL: pathToFileURL(lakeFolder).href });
    await commitSnapshot(
      lake,
      'mysql',
      { orders: { csv: ORDERS, columns } },
      {
        runId: '01890a5d-ac96-774b-bcce-b302099a8057',
        takenAt: '2026-11-03T12:00:00.000Z',
      },
    );
    packs = new PackFolder();
    packs.write('shop/schema.sql', SCHEMA!);
    packs.write('shop/orders.sql', ROUTE!);
  });
  afterAll(async () => {
    packs?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const expectRoute = async (url: string) => {
    const answer = await fetch(url + PATH!);
    expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 200, text: ANSWER });
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, unknown> };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/shop/orders', '/mysql/analytics/users']));
    const { endpoints } = (await (await fetch(url)).json()) as { endpoints: object };
    expect(endpoints).toEqual({ mysql: 2, postgresql: 2, cassandra: 2, cross_microservice: 3, ventas: 1, shop: 1 });
    const missing = await fetch(`${url}/mysql/analytics/users`);
    expect({ status: missing.status, body: await missing.json() }).toMatchObject({
      status: 503,
      body: { error: { code: 'DATA_NOT_AVAILABLE', message: 'Not ingested yet: mysql.users' } },
    });
  };

  it('answers from a mounted folder', async () => {
    const gateway = await startTestGateway({
      ...{ LAKE_URL: pathToFileURL(lakeFolder).href, RUNNER: 'process' },
      ...{ PACKS_DIR: packs.path, ANALYTICS_CACHE_DIR: join(folder, 'cache') },
    });
    try {
      await expectRoute(gateway.url);
      expect((await gateway.get('/health')).body.data_availability).toMatchObject({
        mysql: { orders: true, users: false },
        ventas: { productos: false },
      });
    } finally {
      await gateway.stop();
    }
  });

  it('keeps the gateway from starting where a file is wrong, and says what is', async () => {
    packs.write('wrong/schema.sql', SCHEMA!);
    packs.write(
      'wrong/a.sql',
      ROUTE!.replace('SELECT status,', 'SELECT statuss,').replace('/shop/orders', '/api/orders'),
    );
    try {
      const settings = { LAKE_URL: pathToFileURL(lakeFolder).href, RUNNER: 'process', PACKS_DIR: packs.path };
      const failed = expect(startTestGateway({ ...settings, ANALYTICS_CACHE_DIR: join(folder, 'cache') })).rejects;
      await failed.toThrow(
        /The analytics packs have 2 problem\(s\):\n.*wrong\/a\.sql:1: .*\n.*wrong\/a\.sql:14: .*statuss/,
      );
    } finally {
      await rm(join(packs.path, 'wrong'), { recursive: true });
    }
  });

  describeWith(['docker'], 'in the image', () => {
    it('answers from a mounted folder', async () => {
      await buildImages('gateway');
      for (const place of [lakeFolder, packs.path]) await openToAll(place);
      const mounts = ['-v', `${lakeFolder}:/lake`, '-v', `${packs.path}:/packs:ro`];
      const settings = ['-e', 'LAKE_URL=file:///lake', '-e', 'PACKS_DIR=/packs', '-e', 'RUNNER=process'];
      const args = ['run', '-d', '-p', '127.0.0.1::8000', ...mounts, ...settings, `${E2E_PREFIX}gateway:latest`];
      const id = (await runCommand('docker', args)).trim();
      try {
        const port = (await runCommand('docker', ['port', id, '8000/tcp'])).trim().split(':').at(-1);
        const url = `http://127.0.0.1:${port}`;
        await untilReady(url, () => runCommand('docker', ['logs', id]));
        await expectRoute(url);
      } finally {
        await runCommand('docker', ['rm', '-f', id]);
      }
    });
  });
});

/** Readable and writable for the image's own user. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o777);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o777 : 0o666);
  }
}

async function untilReady(url: string, logs: () => Promise<string>): Promise<void> {
  const isUp = () =>
    fetch(`${url}/livez`).then(
      ({ ok }) => ok,
      () => false,
    );
  if (!(await settled(isUp, (up) => up))) throw new Error(`The gateway did not start: ${await logs()}`);
}
