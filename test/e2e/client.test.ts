import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describeWith } from '../services/need';
import { client, startClient } from './harness/client';
import { createPostgresql, type TestDatabase } from './harness/databases';
import { ROOT, startTestGateway, type TestGateway } from './harness/gateway';

async function givenFolder() {
  const lake = await mkdtemp(join(tmpdir(), 'ingesta-client-'));
  await mkdir(join(lake, 'in'));
  await writeFile(join(lake, 'in/productos.csv'), 'id,nombre,clave\n1,uno,x\n2,dos,y\n');
  const settings = { LAKE_URL: pathToFileURL(lake).href, FILES_LAKE_PREFIX: 'in', RUNNER: 'process', PACKS: 'none' };
  return { lake, settings, remove: () => rm(lake, { recursive: true, force: true }) };
}

describe('ingesta, from the command line', () => {
  let folder: Awaited<ReturnType<typeof givenFolder>>;
  let gateway: TestGateway;
  let env: Record<string, string>;
  beforeAll(async () => {
    folder = await givenFolder();
    gateway = await startTestGateway(folder.settings);
    env = { INGESTA_URL: gateway.url };
  });
  afterAll(async () => {
    await gateway?.stop();
    await folder?.remove();
  });

  it('runs a database, shows what came of it, and follows in plain lines where there is no terminal', async () => {
    const { code, stdout, stderr } = await client(['run', 'files', '--follow'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^\S+Z files: run \S+ started\n/) });
    expect(stdout).toMatch(/^files: succeeded in .*, consistency none, run [0-9a-f-]{36}\n/);
    expect(stdout).toMatch(/productos +2 +\d+ B +file:\/\/\/\S+ \(without clave\)/);
    expect(stdout + stderr).not.toContain('\u001b');
  });

  it('runs every source that is ready, and says which are not', async () => {
    const { code, stdout, stderr } = await client(['run', '--all', '--quiet'], env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('files: succeeded') });
    expect(stderr).toContain('mysql: left out: MYSQL_HOST is not set');
  });

  it('runs once for each slot', async () => {
    const once = ['run', 'files', '--slot', 'hour', '--json'];
    const [first, again] = [await client(once, env), await client(once, env)];
    expect([first.code, again.code]).toEqual([0, 0]);
    expect(JSON.parse(again.stdout).run_id).toBe(JSON.parse(first.stdout).run_id);
    const another = await client([...once, '--tables', 'productos'], env);
    expect([another.code, JSON.parse(another.stdout).error.code]).toEqual([64, 'IDEMPOTENCY_MISMATCH']);
  });

  it('plans, starts without waiting, lists, shows and tells what the script said', async () => {
    const planned = await client(['run', 'files', '--dry-run'], env);
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringMatching(/productos +\d+ +2 +clave \(.*\)/) });
    const detached = await client(['run', 'files', '--detach'], env);
    const runId = detached.stdout.trim();
    expect(runId).toMatch(/^[0-9a-f-]{36}$/);
    const followed = await client(['show', runId, '--follow', '--json'], env);
    expect([followed.code, JSON.parse(followed.stdout).run_id]).toEqual([0, runId]);
    const listed = await client(['runs', '--db', 'files', '--limit', '1', '--json'], env);
    expect(JSON.parse(listed.stdout)).toMatchObject({ run_id: runId, state: 'succeeded' });
    expect((await client(['runs', '--state', 'succeeded'], env)).stdout).toMatch(
      /^RUN +DATABASE.*\n(.+ succeeded .+\n)+/,
    );
    expect((await client(['show', runId], env)).stdout).toContain('files: succeeded');
    expect((await client(['logs', runId], env)).stdout).toMatch(/ info +productos: 2 rows/);
    expect(await client(['cancel', runId], env)).toMatchObject({
      code: 0,
      stdout: `files: run ${runId} is over: succeeded\n`,
    });
    expect((await client(['sources'], env)).stdout).toMatch(/^files +\S+ \S+ ago/m);
  });

  it.each([
    [['run', 'nope'], 66, 'UNKNOWN_SOURCE'],
    [['run', 'files', '--tables', 'nope'], 66, 'TABLE_NOT_FOUND'],
    [['run', 'mysql'], 78, 'SOURCE_CONFIG'],
    [['show', '01890a5d-ac96-774b-bcce-b302099a8057'], 66, 'RUN_NOT_FOUND'],
    [['runs', '--state', 'nope'], 64, 'INVALID_REQUEST'],
    [['run', 'files', '--frob'], 64, '--frob'],
    [['run'], 64, '--all'],
  ])('%j ends with %i and says why', async (args, exit, why) => {
    const { code, stdout, stderr } = await client(args, env);
    expect({ code, stdout, stderr }).toEqual({ code: exit, stdout: '', stderr: expect.stringContaining(why) });
  });

  it.each([
    [['run', 'nope', 'files', '--json'], 66],
    [['run', 'mysql'], 78],
    [['run', 'files', '--follow'], 0],
    [['runs'], 0],
  ])('%j ends with %i also where nobody hears what it says', async (args, exit) => {
    const command = [process.execPath, join(ROOT, 'cli/bin/ingesta.js'), ...args];
    const { PATH = '' } = process.env;
    const unheard = spawn('bash', ['-o', 'pipefail', '-c', '"$0" "$@" 2>&1 | true', ...command], {
      env: { PATH, ...env },
    });
    expect((await once(unheard, 'close'))[0]).toBe(exit);
  });

  it('says nothing but failures if it is told to, and makes keys whatever the environment says of a gateway', async () => {
    const open = { INGESTA_URL: 'http://0.0.0.0:1', INGESTA_API_KEY: 'ing_x' };
    expect((await client(['runs'], open)).stderr).toMatch(/^The API key goes to 0.0.0.0:1 unencrypted/);
    expect((await client(['runs', '--quiet'], open)).stderr).toMatch(/^ingesta: Cannot reach [^\n]+\n$/);
    const broken = { INGESTA_URL: 'nonsense', INGESTA_API_KEY_FILE: '/absent' };
    const made = await client(['keys', 'new', 'a', '--grant', 'read'], broken);
    expect(made).toMatchObject({ code: 0, stderr: '' });
  });

  it('tells of a gateway that is not there', async () => {
    const gone = await givenLine(gateway.url);
    await gone.close();
    const { code, stderr } = await client(['run', 'files', '--retry-for', '0'], { INGESTA_URL: gone.url });
    expect({ code, stderr }).toEqual({ code: 69, stderr: expect.stringContaining('ECONNREFUSED') });
  });

  it('prints its version and its help', async () => {
    expect(await client(['--version'], {})).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
    expect((await client(['--help'], {})).stdout).toContain('ingesta run mysql --follow');
  });
});

/** Passes connections on, and cuts them when a test says so. */
async function givenLine(target: string): Promise<{ url: string; cut: () => void; close: () => Promise<void> }> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const address = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

describeWith(['postgresql'], 'ingesta, following a run that takes its time', () => {
  let database: TestDatabase;
  let lake: string;
  const hold = () => database.query('BEGIN; LOCK TABLE slow IN ACCESS EXCLUSIVE MODE');
  const letGo = () => database.query('ROLLBACK');
  const start = (port = '0') =>
    startTestGateway({
      ...database.settings(false),
      LAKE_URL: pathToFileURL(lake).href,
      RUNNER: 'process',
      PACKS: 'none',
      LEASE_TTL: '10',
      PORT: port,
    });
  const follow = (url: string, ...more: string[]) =>
    startClient(['run', 'postgresql', '--follow', ...more], { INGESTA_URL: url });
  const said = async (run: ReturnType<typeof follow>, text: string) => {
    let isOver = false;
    void run.ended.then(() => {
      isOver = true;
    });
    while (!run.stderr().includes(text)) {
      if (isOver) throw new Error(`The client ended without saying ${text}: ${run.stderr()}`);
      await sleep(50);
    }
  };
  beforeAll(async () => {
    database = await createPostgresql();
    lake = await mkdtemp(join(tmpdir(), 'ingesta-client-'));
    await database.query('CREATE TABLE slow (id int); INSERT INTO slow VALUES (1)');
  });
  afterAll(async () => {
    await database?.drop();
    await rm(lake, { recursive: true, force: true });
  });

  it('outlives a connection that breaks, and gets the answer of the same run', async () => {
    const gateway = await start();
    const line = await givenLine(gateway.url);
    await hold();
    try {
      const run = follow(line.url);
      await said(run, 'started');
      const runId = /run (\S+) started/.exec(run.stderr())![1]!;
      const over = run.ended.then(() => true);
      // The first cut may come before the client listens, when there is nothing to break.
      while (!run.stderr().includes('trying again')) {
        line.cut();
        if (await Promise.race([over, sleep(200)])) break;
      }
      await said(run, 'the gateway is back');
      await letGo();
      expect({ code: await run.ended, stderr: run.stderr() }).toMatchObject({ code: 0 });
      expect(run.stdout()).toContain(runId);
    } finally {
      await database.query('ROLLBACK');
      await line.close();
      await gateway.stop();
    }
  });

  it('outlives a gateway that is killed, and hears from the next one what became of the run', async () => {
    const gateway = await start();
    let next: TestGateway | undefined;
    await hold();
    try {
      const run = follow(gateway.url);
      await said(run, 'started');
      await gateway.stop('SIGKILL');
      await said(run, 'trying again');
      next = await start(new URL(gateway.url).port);
      expect({ code: await run.ended, stderr: run.stderr() }).toEqual({
        code: 75,
        stderr: expect.stringContaining('LEASE_LOST'),
      });
    } finally {
      await letGo();
      await next?.stop();
    }
  });

  it('says which run is in its way, follows that one if told to, and cancels', async () => {
    const gateway = await start();
    await hold();
    try {
      const first = follow(gateway.url);
      await said(first, 'started');
      const runId = /run (\S+) started/.exec(first.stderr())![1]!;
      const refused = await client(['run', 'postgresql'], { INGESTA_URL: gateway.url });
      expect(refused).toMatchObject({ code: 75, stdout: '', stderr: expect.stringContaining(runId) });
      expect(refused.stderr).toContain('--attach');
      const attached = follow(gateway.url, '--attach', '--json');
      await said(attached, `run ${runId} is under way`);
      const cancelled = await client(['cancel', runId], { INGESTA_URL: gateway.url });
      expect(cancelled).toMatchObject({ code: 0, stdout: expect.stringContaining('stopped') });
      expect([await first.ended, await attached.ended]).toEqual([75, 75]);
      expect(first.stderr()).toContain('RUN_CANCELLED');
      expect(JSON.parse(attached.stdout())).toMatchObject({ status: 'error', error: { code: 'RUN_CANCELLED' } });
    } finally {
      await letGo();
      await gateway.stop();
    }
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('leaves the run alone on %s', async (signal, exit) => {
    const gateway = await start();
    await hold();
    try {
      const run = follow(gateway.url);
      await said(run, 'started');
      process.kill(run.pid, signal);
      expect({ code: await run.ended, stderr: run.stderr() }).toEqual({
        code: exit,
        stderr: expect.stringContaining('goes on'),
      });
      const late = await client(['run', 'postgresql', '--attach', '--timeout', '1'], { INGESTA_URL: gateway.url });
      expect(late).toMatchObject({ code: 75, stderr: expect.stringContaining('goes on') });
      await letGo();
      const answer = await client(['run', 'postgresql', '--attach'], { INGESTA_URL: gateway.url });
      expect(answer).toMatchObject({ code: 0, stdout: expect.stringContaining('succeeded') });
    } finally {
      await database.query('ROLLBACK');
      await gateway.stop();
    }
  });
});
