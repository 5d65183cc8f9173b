import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { openLake } from '@ingesta/kit';
import { describeWith } from '../services/need';
import { createPostgresql, type TestDatabase } from './harness/databases';
import { expectFailure, startTestGateway } from './harness/gateway';

describeWith(['postgresql'], 'a gateway that is told to stop', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createPostgresql();
    // A lock on it holds the run where the test wants it.
    await database.query('CREATE TABLE slow (id int); INSERT INTO slow VALUES (1)');
  });
  afterAll(() => database?.drop());

  it('ends the run under way, answers its caller, and leaves nothing half done', async () => {
    const lake = await mkdtemp(join(tmpdir(), 'ingesta-stop-'));
    const gateway = await startTestGateway({
      ...database.settings(false),
      LAKE_URL: pathToFileURL(lake).href,
      RUNNER: 'process',
    });
    await database.query('BEGIN; LOCK TABLE slow IN ACCESS EXCLUSIVE MODE');
    try {
      const answer = gateway.post('postgresql');
      while (!(await gateway.log()).includes('run started')) await sleep(50);
      await sleep(300);
      const exit = gateway.stop('SIGTERM');
      expectFailure(await answer, 503, 'LEASE_LOST');
      expect(await exit).toBe(0);
      const files = await openLake({ LAKE_URL: pathToFileURL(lake).href });
      expect(await files.get('_ingesta/current/postgresql.json')).toBeNull();
      const { run_id } = (await answer).body.error;
      const record = await files.get(`_ingesta/runs/postgresql/${run_id}/run.json`);
      expect(JSON.parse(record!.body.toString())).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
    } finally {
      await database.query('ROLLBACK');
      await rm(lake, { recursive: true, force: true });
    }
  });
});
