import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { openLake } from '@ingesta/kit';
import { runCommand } from '../services/command';
import { describeWith } from '../services/need';
import { createPostgresql, type TestDatabase } from './harness/databases';
import { expectFailure, startTestGateway } from './harness/gateway';
import { buildForeignSource, buildImages, containersLabelled, containersOf, E2E_PREFIX } from './harness/images';

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
      const [pointer, lease] = await Promise.all(
        ['current', 'locks'].map((folder) => files.get(`_ingesta/${folder}/postgresql.json`)),
      );
      expect(JSON.parse(pointer!.body.toString())).toMatchObject({ manifest: null });
      // Nobody has to wait for it to run out.
      expect(JSON.parse(lease!.body.toString())).toMatchObject({ state: 'free' });
      const { run_id } = (await answer).body.error;
      const record = await files.get(`_ingesta/runs/postgresql/${run_id}/run.json`);
      expect(JSON.parse(record!.body.toString())).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
    } finally {
      await database.query('ROLLBACK');
      await rm(lake, { recursive: true, force: true });
    }
  });
});

describeWith(['docker'], 'a gateway that is told to stop while a script will not', () => {
  it.each(['docker', 'process'])('still ends the run, and itself, in order (%s)', async (runner) => {
    const foreign = await buildForeignSource('villain');
    const lake = await mkdtemp(join(tmpdir(), 'ingesta-stop-'));
    const gateway = await startTestGateway({
      RUNNER: runner,
      IMAGE_PREFIX: E2E_PREFIX,
      SCRIPTS_DIR: foreign.scripts,
      LAKE_URL: pathToFileURL(lake).href,
      VILLAIN_MODE: 'stubborn',
    });
    try {
      const answer = gateway.post('villain');
      while (!(await gateway.log()).includes('nothing moves me')) await sleep(50);
      const exit = gateway.stop('SIGTERM');
      // Impatient people send it twice.
      process.kill(gateway.pid, 'SIGTERM');
      expectFailure(await answer, 503, 'LEASE_LOST');
      expect(await exit).toBe(0);
      const { run_id } = (await answer).body.error;
      expect(await containersOf(run_id)).toEqual([]);
      const files = await openLake({ LAKE_URL: pathToFileURL(lake).href });
      const record = await files.get(`_ingesta/runs/villain/${run_id}/run.json`);
      expect(JSON.parse(record!.body.toString())).toMatchObject({ state: 'failed' });
    } finally {
      await foreign.remove();
      await rm(lake, { recursive: true, force: true });
    }
  });

  it('leaves no container that it asked for a description', async () => {
    await buildImages('postgresql');
    // An image of its own: gateways of other tests are killed while theirs describe themselves.
    const prefix = `ingesta-stop-${randomUUID()}-`;
    const image = `${prefix}postgresql:latest`;
    await runCommand('docker', ['tag', `${E2E_PREFIX}postgresql:latest`, image]);
    const lake = await mkdtemp(join(tmpdir(), 'ingesta-stop-'));
    const asked = () => containersLabelled(`ingesta.describe=${image}`);
    const startAndStop = async (meanwhile: () => Promise<unknown>) => {
      const settings = { RUNNER: 'docker', IMAGE_PREFIX: prefix, LAKE_URL: pathToFileURL(lake).href };
      const gateway = await startTestGateway(settings);
      await meanwhile();
      expect(await gateway.stop('SIGTERM')).toBe(0);
      expect(await asked()).toEqual([]);
    };
    try {
      for (const pause of [0, 100, 300]) await startAndStop(() => sleep(pause));
      // While it is being asked, for sure; a look may come too late.
      let isSeen = false;
      for (let starts = 0; !isSeen && starts < 10; starts += 1)
        await startAndStop(async () => {
          for (let looks = 0; !isSeen && looks < 50; looks += 1) isSeen = (await asked()).length > 0;
        });
      expect(isSeen).toBe(true);
    } finally {
      await rm(lake, { recursive: true, force: true });
      await runCommand('docker', ['rmi', image]);
    }
  });
});
