import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
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
  const ingestAll = (...names: string[]) =>
    new Promise<Ended>((resolve) => {
      const env = { PATH: process.env.PATH, INGESTA_URL: gateway!.url, INGESTA_POLL_MS: '100' };
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

  it('takes only the sources that it is told', async () => {
    await start({ FILES_PATH: join(folder, 'files') });
    const { code, said } = await ingestAll('absent');
    expect(said).toMatch(/^absent: failed: UNKNOWN_SOURCE/m);
    expect(said).not.toMatch(/^files/m);
    expect(code).toBe(1);
  });
});
