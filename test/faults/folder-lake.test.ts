import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Lake, openLake } from '@ingesta/kit';
import { build } from 'esbuild';
import { parseCsv } from '../../scripts/kit/src/testing/parse-csv';
import { type GatewayProcess, startGateway } from '../services/gateway-process';
import { type Caller, callerOf } from './harness/caller';
import { expectSound, readJson } from './harness/oracle';
import { LEASE_TTL_S } from './harness/world';

const ROOT = join(__dirname, '../..');
const PASSWORD = 'canary-of-the-folder';

type Gateway = GatewayProcess & Caller;

/** Two gateways of one host, processes of their own, which have nothing in common but a folder. */
describe('gateways that share a folder', () => {
  let folder: string;
  let lake: Lake;
  let generation = 0;
  const gateways: GatewayProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-shared-'));
    const source = join(folder, 'scripts/gen');
    const outfile = join(source, 'dist/main.js');
    const entryPoints = [join(__dirname, 'fixtures/generations.ts')];
    await build({ entryPoints, outfile, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
    const env = ['GEN_NUMBER_FILE', 'GEN_GATE'].map((name) => ({ name, description: 'A file.', required: true }));
    const secret = { name: 'GEN_PASSWORD', description: 'Never shown.', secret: true };
    const described = { title: 'Generations', env_prefix: 'GEN_', command: ['node', 'dist/main.js'] };
    await writeFile(join(source, 'source.json'), JSON.stringify({ ...described, env: [...env, secret] }));
    await mkdir(join(folder, 'lake'));
    lake = await openLake({ LAKE_URL: pathToFileURL(join(folder, 'lake')).href });
    await advance();
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop('SIGKILL')));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const advance = async () => {
    generation += 1;
    await writeFile(join(folder, 'generation'), String(generation));
  };
  const hold = () => writeFile(join(folder, 'gate'), '');
  const release = () => rm(join(folder, 'gate'), { force: true });
  const start = async (): Promise<Gateway> => {
    const home = await mkdtemp(join(folder, 'gateway-'));
    const gateway = await startGateway(ROOT, home, {
      ...{ RUNNER: 'process', PACKS: 'none', LEASE_TTL: String(LEASE_TTL_S), SWEEP_GRACE: '1', TMPDIR: folder },
      ...{ LAKE_URL: pathToFileURL(join(folder, 'lake')).href, SCRIPTS_DIR: join(folder, 'scripts') },
      ...{ GEN_NUMBER_FILE: join(folder, 'generation'), GEN_GATE: join(folder, 'gate'), GEN_PASSWORD: PASSWORD },
      LATEST_TEMPLATE: '{db}/{table}/{table}.csv',
    });
    gateways.push(gateway);
    return { ...gateway, ...callerOf(gateway.url) };
  };
  /** A run that reads its second table, and goes on when the gate is opened. */
  const beginHeld = async (gateway: Gateway): Promise<string> => {
    await hold();
    const runId = await gateway.begin('gen');
    const read = async () => (await gateway.get(`/api/ingesta/runs/${runId}`)).body.progress.payments;
    while ((await read()) === undefined) await sleep(50);
    return runId;
  };
  const lease = () => readJson(lake, '_ingesta/locks/gen.json');
  const latest = async (gateway: Gateway) => (await gateway.get('/api/ingesta/gen/latest')).body;
  const sound = () => {
    const folderOnly = {
      lake,
      // A folder keeps no versions: the last one is all there is to see.
      history: async (key: string) => [await readJson(lake, key)],
      // Half-written files of killed scripts are told from others by their age alone.
      unfinishedUploads: async () => [],
    };
    return expectSound({ folder, bucket: folderOnly as never });
  };
  /** Looks at what readers see until `done`: always two tables of one generation, in every row. */
  const watched = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const ended = work.finally(() => {
      done = true;
    });
    let looks = 0;
    while (!done) {
      const { manifest } = await readJson(lake, '_ingesta/current/gen.json').catch(() => ({ manifest: null }));
      if (manifest !== null) {
        const { tables } = await readJson(lake, manifest);
        const keys = Object.values<{ key: string }>(tables).map(({ key }) => key);
        expect(keys).toHaveLength(2);
        const seen = await Promise.all(keys.map(async (key) => generationsOf((await lake.get(key))!.body)));
        expect(new Set(seen.flat()).size).toBe(1);
      }
      for (const table of ['orders', 'payments']) {
        const copy = await lake.get(`gen/${table}/${table}.csv`);
        if (copy) expect(generationsOf(copy.body)).toHaveLength(1);
      }
      looks += 1;
      await sleep(20);
    }
    expect(looks).toBeGreaterThan(0);
    return ended;
  };
  const generationsOf = (csv: Buffer): string[] => {
    const [, ...rows] = parseCsv(csv.toString());
    expect(rows).toHaveLength(5_000);
    return [...new Set(rows.map((row) => row[1]!))];
  };

  it('run once of many POSTs at once; the others are told which run it is', async () => {
    const [a, b] = [await start(), await start()];
    await hold();
    const posts = Array.from({ length: 20 }, (_, n) => (n % 2 ? a : b).post('gen'));
    let answered = 0;
    for (const post of posts) void post.then(() => (answered += 1));
    while (answered < posts.length - 1) await sleep(20);
    await release();
    const answers = await Promise.all(posts);
    const [won, ...more] = answers.filter(({ status }) => status === 200);
    expect(more).toEqual([]);
    for (const { status, headers, body } of answers.filter((answer) => answer !== won)) {
      expect([status, body.error.code, body.error.run_id]).toEqual([409, 'RUN_IN_PROGRESS', won!.body.run_id]);
      expect(headers.get('location')).toBe(`/api/ingesta/runs/${won!.body.run_id}`);
    }
    // What a script says in plain text is its run's log, without its secrets.
    const logs = (await b.get(`/api/ingesta/runs/${won!.body.run_id}/logs`)).body;
    expect(logs).toContain('reading generation 1 with ***');
    expect(logs).not.toContain(PASSWORD);
    await sound();
    await Promise.all([a.stop(), b.stop()]);
  });

  it('take over from one that is killed, and its script that goes on changes nothing', async () => {
    const [a, b] = [await start(), await start()];
    const before = await a.post('gen');
    await advance();
    const lost = await beginHeld(a);
    const { epoch } = await lease();
    const killed = performance.now();
    await a.stop('SIGKILL');
    expect((await latest(b)).run_id).toBe(before.body.run_id);
    await advance();
    const next = b.post('gen');
    // Its own script waits at the gate, too: what is looked at here is the takeover.
    while ((await lease()).epoch === epoch) await sleep(20);
    process.stdout.write(
      `takeover ${((performance.now() - killed) / 1000).toFixed(1)} s after SIGKILL, TTL ${LEASE_TTL_S} s\n`,
    );
    expect(await b.endOf(lost)).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
    await release();
    expect((await watched(next)).status).toBe(200);
    expect((await latest(b)).run_id).toBe((await next).body.run_id);
    expect(generationsOf(await readFile(join(folder, 'lake/gen/orders/orders.csv')))).toEqual([String(generation)]);
    await sound();
    await b.stop();
  });

  it('fence off one that was paused past its TTL', async () => {
    const [a, b] = [await start(), await start()];
    const late = beginHeld(a);
    const lost = await late;
    process.kill(a.pid, 'SIGSTOP');
    await advance();
    const next = b.post('gen');
    while ((await lease()).run_id === lost) await sleep(20);
    await release();
    expect((await watched(next)).status).toBe(200);
    process.kill(a.pid, 'SIGCONT');
    expect(await a.endOf(lost)).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' } });
    expect((await latest(a)).run_id).toBe((await next).body.run_id);
    await sound();
    await Promise.all([a.stop(), b.stop()]);
  });

  it('leave whole snapshots and free leases wherever they are killed', async () => {
    let survivor = await start();
    for (let round = 0; round < 6; round += 1) {
      const doomed = await start();
      await advance();
      const asked = doomed.post('gen').catch(() => null);
      // From before the script has started to after the publication.
      await watched(sleep(150 * round));
      await doomed.stop('SIGKILL');
      await asked;
      const next = await watched(survivor.post('gen'));
      expect(next.status).toBe(200);
      if (round === 2) {
        await survivor.stop();
        survivor = await start();
      }
    }
    await sound();
    expect(await survivor.stop()).toBe(0);
  }, 240_000);
});
