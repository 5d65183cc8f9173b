import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { failure, givenGateway, hangUp, json, type Step } from '../../cli/src/testing/given-gateway';
import { type GatewayProcess, startGateway } from '../services/gateway-process';
import { freePort } from '../services/server-process';

const ROOT = join(__dirname, '../..');

interface Ended {
  code: number;
  said: string;
}

describe('deploy/ingest-all.mjs', () => {
  let folder: string;
  let gateway: GatewayProcess | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-all-'));
    await mkdir(join(folder, 'lake'));
    await mkdir(join(folder, 'files'));
    await writeFile(join(folder, 'files/people.csv'), 'id,name\n1,a\n2,b\n');
  });
  afterEach(async () => {
    await gateway?.stop();
    gateway = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (settings: Record<string, string>) => {
    const lake = { RUNNER: 'process', PACKS: 'none', LAKE_URL: pathToFileURL(join(folder, 'lake')).href };
    gateway = await startGateway(ROOT, folder, { ...lake, ...settings });
  };
  const ingestAll = (...names: string[]) => ingestAt(gateway!.url, {}, ...names);
  const ingestAt = (url: string, settings: Record<string, string>, ...names: string[]) =>
    new Promise<Ended>((resolve) => {
      const env = { PATH: process.env.PATH, INGESTA_URL: url, INGESTA_POLL_MS: '100', ...settings };
      const args = [join(ROOT, 'deploy/ingest-all.mjs'), ...names];
      execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
        resolve({ code: Number(error?.code ?? 0), said: stdout + stderr });
      });
    });

  it('ingests every source that has its settings, and says what it left out', async () => {
    await start({ FILES_PATH: join(folder, 'files') });
    const { code, said } = await ingestAll();
    expect(said).toMatch(/^files: 1 tables, 2 rows in [\d.]+ s, run [0-9a-f-]{36}$/m);
    expect(said).toMatch(/^mysql: skipped: MYSQL_HOST is not set/m);
    expect(code).toBe(0);
  });

  it('ends with 1 where a source fails, after the others are done', async () => {
    const port = String(await freePort());
    const mysql = {
      MYSQL_HOST: '127.0.0.1',
      MYSQL_PORT: port,
      MYSQL_USER: 'u',
      MYSQL_DATABASE: 'd',
      RUN_ATTEMPTS: '1',
    };
    await start({ ...mysql, FILES_PATH: join(folder, 'files') });
    const { code, said } = await ingestAll();
    expect(said).toMatch(/^mysql: failed: SOURCE_UNAVAILABLE: /m);
    expect(said).toMatch(/^files: 1 tables, 2 rows/m);
    expect(code).toBe(1);
  });

  it('ends with 2 where no source has its settings', async () => {
    await start({});
    expect(await ingestAll()).toMatchObject({ code: 2, said: expect.stringContaining('No source has its settings') });
  });

  /** Against a gateway that does these things one after the other. */
  const against = async (steps: Step[]) => {
    const { gateway: standIn, asked, close } = await givenGateway(steps);
    try {
      const settings = { INGESTA_POLL_MS: '20', INGESTA_PATIENCE_MS: '200', INGESTA_HELD_MS: '80' };
      return { ...(await ingestAt(standIn.url, settings, 'mysql')), asked };
    } finally {
      await close();
    }
  };
  const accepted = json(202, { status: 'running', database: 'mysql', run_id: 'run-1' });
  const succeeded = json(200, { state: 'succeeded', duration_ms: 5, progress: { users: { rows: 3 } } });

  it('waits for its turn however often that is cut short, while the gateway lives', async () => {
    const cut: Step = (response) => void setTimeout(() => response.destroy(), 100);
    const turns = Array.from({ length: 4 }, () => [cut, json(200, {})]).flat();
    const { code, said, asked } = await against([...turns, accepted, succeeded]);
    expect([code, said]).toEqual([0, 'mysql: 1 tables, 3 rows in 0.0 s, run run-1\n']);
    const posts = asked.filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(5);
    expect(new Set(posts.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it('gives a gateway up that is away, and says over which source', async () => {
    const { code, said } = await against(Array.from({ length: 100 }, () => hangUp));
    expect([code, said]).toEqual([1, expect.stringMatching(/^mysql: failed: UNREACHABLE: POST http\S+\/mysql: /)]);
  });

  it('goes on asking about a run whose gateway cannot reach the lake just now', async () => {
    const { code, said } = await against([accepted, json(502, failure('LAKE_UNAVAILABLE')), succeeded]);
    expect([code, said]).toEqual([0, expect.stringContaining('run run-1')]);
  });

  it('takes only the sources that it is told', async () => {
    await start({ FILES_PATH: join(folder, 'files') });
    const { code, said } = await ingestAll('absent');
    expect(said).toMatch(/^absent: failed: UNKNOWN_SOURCE/m);
    expect(said).not.toMatch(/^files/m);
    expect(code).toBe(1);
  });
});
