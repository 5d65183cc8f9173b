import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describeWith } from '../services/need';
import { createPostgresql, type TestDatabase } from './harness/databases';
import { startTestGateway, type TestGateway } from './harness/gateway';
import { buildImages, containersOf, E2E_PREFIX } from './harness/images';

/** Two gateways, one lake, one Docker engine. */
describeWith(['docker', 'postgresql'], 'a gateway that is killed in the middle of a run', () => {
  let database: TestDatabase;
  let lake: string;
  const gateways: TestGateway[] = [];
  const start = async () => {
    const gateway = await startTestGateway({
      ...database.settings(true),
      LAKE_URL: pathToFileURL(lake).href,
      RUNNER: 'docker',
      IMAGE_PREFIX: E2E_PREFIX,
      LEASE_TTL: '10',
      PACKS: 'none',
    });
    gateways.push(gateway);
    return gateway;
  };
  beforeAll(async () => {
    await buildImages('postgresql');
    database = await createPostgresql();
    lake = await mkdtemp(join(tmpdir(), 'ingesta-takeover-'));
    // A lock on it holds the run where the test wants it.
    await database.query('CREATE TABLE slow (id int); INSERT INTO slow VALUES (1)');
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop('SIGTERM').catch(() => undefined)));
    await database?.drop();
    await rm(lake, { recursive: true, force: true });
  });

  it('loses it to the next POST, which publishes; its record is closed and its container removed', async () => {
    const [a, b] = [await start(), await start()];
    const before = (await a.post('postgresql')).body;
    await database.query('BEGIN; LOCK TABLE slow IN ACCESS EXCLUSIVE MODE');
    const accepted = await fetch(`${a.url}/api/ingesta/postgresql`, {
      method: 'POST',
      headers: { Prefer: 'respond-async' },
    });
    const location = accepted.headers.get('location')!;
    const { run_id: lost } = (await accepted.json()) as { run_id: string };
    while ((await containersOf(lost)).length === 0) await sleep(100);
    // From the other gateway: it lives.
    const rival = await b.post('postgresql');
    expect([rival.status, rival.body.error.run_id, rival.headers.get('location')]).toEqual([409, lost, location]);

    process.kill(a.pid, 'SIGKILL');
    await database.query('ROLLBACK');
    const next = await b.post('postgresql');
    expect(next).toMatchObject({ status: 200, body: { status: 'success' } });
    const latest = (await b.get('/api/ingesta/postgresql/latest')).body;
    expect(latest.run_id).toBe(next.body.run_id);
    expect((await b.get(location)).body).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
    const listed = (await b.get('/api/ingesta/runs?db=postgresql')).body.runs.map(
      (run: { run_id: string }) => run.run_id,
    );
    expect(listed).toEqual([next.body.run_id, lost, before.run_id]);
    while ((await containersOf(lost)).length > 0) await sleep(500);
  });
});
