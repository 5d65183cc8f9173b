import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { failure, givenGateway, hangUp, json, type Step } from '../../cli/src/testing/given-gateway';
import { callerOf } from '../faults/harness/caller';
import { type GatewayProcess, startGateway } from '../services/gateway-process';

const ROOT = join(__dirname, '../..');
const DAG = join(ROOT, 'deploy/airflow/ingesta_dag.py');

/** Seen to fail with a key that does not tell a cleared task from its tries, and without the DELETE of a task that is ended. */
describe('the DAG of Airflow', () => {
  let folder: string;
  let gateway: GatewayProcess;
  /** A database that takes connections and says nothing. */
  let silent: Server;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-dag-'));
    for (const name of ['lake', 'files']) await mkdir(join(folder, name));
    await writeFile(join(folder, 'files/people.csv'), 'id,name\n1,a\n2,b\n');
    silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    gateway = await startGateway(ROOT, folder, {
      ...{ RUNNER: 'process', PACKS: 'none', LAKE_URL: pathToFileURL(join(folder, 'lake')).href, RUN_ATTEMPTS: '1' },
      ...{ FILES_PATH: join(folder, 'files'), LEASE_TTL: '5' },
      ...{ MYSQL_HOST: '127.0.0.1', MYSQL_PORT: String((silent.address() as AddressInfo).port) },
      ...{ MYSQL_USER: 'u', MYSQL_DATABASE: 'd', POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '1' },
      ...{ POSTGRES_USER: 'u', POSTGRES_DATABASE: 'd' },
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    silent?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** A DAG run, by a worker's process of its own. */
  const run = (sources: string[], more: Record<string, string> = {}) =>
    new Promise<{ code: number; given: string[]; said: string }>((resolve) => {
      const env = {
        ...{ PATH: process.env.PATH, INGESTA_URL: gateway.url, INGESTA_SOURCES: JSON.stringify(sources) },
        ...{ DAG_RUN: 'scheduled__2025-01-02', TRY_NUMBER: '1', MAX_TRIES: '2', PYTHONDONTWRITEBYTECODE: '1', ...more },
      };
      execFile('python3', [join(__dirname, 'fixtures/run_dag.py'), DAG], { env }, (error, stdout, stderr) => {
        const given = stdout.split('\n').flatMap((line) => (line ? [JSON.parse(line)] : []));
        resolve({ code: Number(error?.code ?? 0), given, said: stderr });
      });
    });

  it('ingests each source, finds its run again after a restart and at the next try, and starts another one when cleared', async () => {
    const { code, given, said } = await run(['files']);
    expect([code, said]).toEqual([0, '']);
    const { body } = await callerOf(gateway.url).get(`/api/ingesta/runs/${given[0]}`);
    expect(body).toMatchObject({ database: 'files', state: 'succeeded' });
    expect((await run(['files'])).given).toEqual(given);
    expect((await run(['files'], { TRY_NUMBER: '2' })).given).toEqual(given);
    const cleared = await run(['files'], { TRY_NUMBER: '2', MAX_TRIES: '3' });
    expect([cleared.code, cleared.given.length]).toEqual([0, 1]);
    expect(cleared.given).not.toEqual(given);
  });

  it('fails with the words of the run that failed', async () => {
    const { code, said } = await run(['postgresql']);
    expect(code).toBe(1);
    expect(said).toMatch(/AirflowException: run [0-9a-f-]{36} failed: SOURCE_UNAVAILABLE: /);
  });

  it('fails at once where there is no such source', async () => {
    const { code, said } = await run(['absent']);
    expect(code).toBe(1);
    expect(said).toContain('AirflowException: POST /api/ingesta/absent: UNKNOWN_SOURCE');
  });

  /** Against a gateway that does these things one after the other; a second of the worker's takes a millisecond. */
  const against = async (steps: Step[]) => {
    const { gateway: standIn, asked, close } = await givenGateway(steps);
    try {
      return { ...(await run(['mysql'], { INGESTA_URL: standIn.url, SPEED: '1000' })), asked };
    } finally {
      await close();
    }
  };
  const accepted = json(202, { status: 'running', database: 'mysql', run_id: 'run-1' });
  const succeeded = json(200, { run_id: 'run-1', state: 'succeeded' });

  it('waits for its turn however often that is cut short, while the gateway lives', async () => {
    const cut: Step = (response) => void setTimeout(() => response.destroy(), 100);
    const turns = Array.from({ length: 4 }, () => [cut, json(200, {})]).flat();
    const { given, said, asked } = await against([...turns, accepted, succeeded]);
    expect([given, said]).toEqual([['run-1'], '']);
    const posts = asked.filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(5);
    expect(new Set(posts.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    const away = await against(Array.from({ length: 100 }, () => hangUp));
    expect([away.code, away.said]).toEqual([1, expect.stringContaining('AirflowException: POST /api/ingesta/mysql: ')]);
  });

  it('goes on asking about a run whose gateway cannot reach the lake just now', async () => {
    const { given, said } = await against([accepted, json(502, failure('LAKE_UNAVAILABLE')), succeeded]);
    expect([given, said]).toEqual([['run-1'], '']);
  });

  it('cancels the run of a task that is ended', async () => {
    const { code, said } = await run(['mysql'], { ENDED: '1' });
    expect([code, said]).toEqual([1, 'the task was marked failed\n']);
    const caller = callerOf(gateway.url);
    const [{ run_id }] = (await caller.get('/api/ingesta/runs?db=mysql')).body.runs;
    expect((await caller.endOf(run_id)).state).toBe('cancelled');
  });
});
