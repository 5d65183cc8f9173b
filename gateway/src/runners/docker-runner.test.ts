import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { describeWith, dockerEnv } from '../../../test/services/need';
import { ShippedSources } from '../sources/shipped-sources';
import { reapContainers } from './docker-reaper';
import { DockerRunner } from './docker-runner';
import { openDocker } from './open-docker';
import type { LeftBehind } from './runner';
import { ignored, never, type RunnerGiven, runnerSuite, SUITE_SOURCE, specOf } from './runner-suite';

const RUN = Math.random().toString(36).slice(2, 10);
const PREFIX = `ingesta-suite-${RUN}-`;
const LABELS = { 'ingesta.suite': RUN };
const docker = openDocker();

describeWith(['docker'], 'DockerRunner', () => {
  let folder: string;
  let given: RunnerGiven;
  const runnerOn = (engine: Docker, shipped: string | null = null) =>
    new DockerRunner(engine, new ShippedSources(shipped), { prefix: PREFIX, tag: 'latest' });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-docker-'));
    await build('suite');
    given = { runner: runnerOn(docker), left: () => containers({ label: [`ingesta.suite=${RUN}`] }), labels: LABELS };
  }, 120_000);

  afterAll(async () => {
    for (const { Id } of await docker.listImages({ filters: { label: [`ingesta.suite=${RUN}`] } })) {
      await docker.getImage(Id).remove({ force: true });
    }
    await rm(folder, { recursive: true, force: true });
  });

  const containers = async (filters: Record<string, string[]>) =>
    (await docker.listContainers({ all: true, filters })).map(({ Names, Status }) => `${Names} ${Status}`);

  /** An image of the suite's script; `source` is what it says of itself. */
  async function build(
    name: string,
    source: object = SUITE_SOURCE,
    label = `LABEL ingesta.source=${name}`,
  ): Promise<void> {
    const context = join(folder, name);
    await mkdir(context);
    const lines = [
      `FROM ${dockerEnv().nodeImage}`,
      'COPY source.json main.cjs /app/',
      label,
      `LABEL ingesta.suite=${RUN}`,
      'USER 1000:1000',
      'ENTRYPOINT ["node", "/app/main.cjs"]',
    ];
    await writeFile(join(context, 'Dockerfile'), lines.join('\n'));
    await writeFile(join(context, 'source.json'), JSON.stringify(source));
    await copyFile(join(__dirname, '../testing/suite-script.cjs'), join(context, 'main.cjs'));
    const src = ['Dockerfile', 'source.json', 'main.cjs'];
    const stream = await docker.buildImage({ context, src }, { t: `${PREFIX}${name}:latest` });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(stream, (error, output) => {
        const failed = error ?? output.find((line: { error?: string }) => line.error);
        if (failed) reject(new Error(JSON.stringify(failed)));
        else resolve();
      });
    });
  }

  describe('as a Runner', () => runnerSuite(() => given));

  describe('as a jail', () => {
    afterEach(async () => expect(await given.left()).toEqual([]));
    const printed = async (deed: string) => {
      const { stdout } = await given.runner.run(await specOf(given, deed), never, ignored);
      return JSON.parse(stdout.toString());
    };

    it('gives the script no rights, no disk, and a small /tmp', async () => {
      expect(await printed('probe')).toEqual({
        uid: 1000,
        capabilities: '0000000000000000',
        bounding: '0000000000000000',
        noNewPrivileges: '1',
        rootfs: expect.stringMatching(/EROFS|EACCES/),
        tmp: 'done',
        tmpFull: 'ENOSPC',
      });
    });

    it('ends a script that takes too much memory, and says so', async () => {
      const spec = await specOf(given, 'memory', {}, { memoryMiB: 64 });
      expect(await given.runner.run(spec, never, ignored)).toMatchObject({ exitCode: 137, oomKilled: true });
    });

    it('holds a fork bomb', async () => {
      const { started, refused } = await printed('forks');
      expect(started).toBeLessThan(128);
      expect(refused).toBeGreaterThan(100);
    });

    it('shows no secret to `docker inspect`, and is what was asked for', async () => {
      const stop = new AbortController();
      const spec = await specOf(given, 'obey');
      let inspected: Promise<Docker.ContainerInspectInfo> | undefined;
      await given.runner.run(spec, stop.signal, () => {
        const container = docker.getContainer(`ingesta-suite-${spec.job.run_id}-1`);
        inspected ??= container.inspect().finally(() => stop.abort());
      });
      const info = await inspected;
      expect(JSON.stringify(info)).not.toContain('canary');
      expect(info?.Config.Env.filter((line) => line.startsWith('INGESTA'))).toEqual(['INGESTA_JOB=stdin']);
      expect(info?.Config.Labels).toMatchObject(LABELS);
      expect(info?.Image).toBe(spec.source.digest);
      expect(info?.Mounts.filter(({ Type }) => Type !== 'tmpfs')).toEqual([]);
      expect(info?.HostConfig).toMatchObject({
        ReadonlyRootfs: true,
        Privileged: false,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Memory: 128 * 1024 * 1024,
        MemorySwap: 128 * 1024 * 1024,
        PidsLimit: 128,
        Init: true,
      });
    });
  });

  describe('reap', () => {
    const deployment = `suite-${RUN}`;
    const left = async (runId: string, start: boolean) => {
      const container = await docker.createContainer({
        Image: `${PREFIX}suite:latest`,
        Entrypoint: ['sleep', '600'],
        Labels: {
          ...LABELS,
          'ingesta.deployment': deployment,
          'ingesta.run': runId,
          'ingesta.db': 'suite',
          'ingesta.deadline': '2025-01-02T15:30:45.000Z',
        },
      });
      if (start) await container.start();
      return container;
    };
    it('removes what runs that are over have left, running or only created, and nothing else', async () => {
      const made = await Promise.all([left('over', true), left('over-too', false), left('live', true)]);
      try {
        const asked: object[] = [];
        const isOver = async (launch: LeftBehind) => {
          asked.push(launch);
          return launch.runId.startsWith('over');
        };
        expect(await runnerOn(docker).reap(deployment, isOver)).toEqual([]);
        expect(asked).toEqual([]); // Newborn.
        // Not so late that what other tests ask of images on this engine would be taken for left.
        const later = Date.now() + 60_000;
        expect(await reapContainers(docker, `other-${RUN}`, isOver, later)).toEqual([]);
        expect((await reapContainers(docker, deployment, isOver, later)).sort()).toEqual(['over', 'over-too']);
        expect(asked).toContainEqual({ runId: 'live', database: 'suite', deadline: new Date('2025-01-02T15:30:45Z') });
        expect(await containers({ label: [`ingesta.deployment=${deployment}`] })).toHaveLength(1);
      } finally {
        await Promise.all(made.map((container) => container.remove({ force: true }).catch(() => undefined)));
      }
    });
  });

  describe('what goes wrong', () => {
    afterEach(async () => expect(await given.left()).toEqual([]));

    it('says how to build an image that is absent', async () => {
      const shipped = join(folder, 'shipped');
      await mkdir(join(shipped, 'absent'), { recursive: true });
      await writeFile(join(shipped, 'absent/source.json'), JSON.stringify(SUITE_SOURCE));
      const runner = runnerOn(docker, shipped);
      const failure = { code: 'IMAGE_NOT_FOUND', hint: expect.stringContaining('./build-images.sh absent') };
      await expect(runner.resolve('absent')).rejects.toMatchObject(failure);
      expect(await runner.list()).toContainEqual(expect.objectContaining({ name: 'absent', present: false }));
    });

    it('says that an image went away between resolve and run', async () => {
      const spec = await specOf(given, 'echo');
      const gone = { ...spec, source: { ...spec.source, digest: `sha256:${'0'.repeat(64)}` } };
      await expect(given.runner.run(gone, never, ignored)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    });

    it('says that the network does not exist', async () => {
      const spec = await specOf(given, 'echo', {}, { network: `absent-${RUN}` });
      await expect(given.runner.run(spec, never, ignored)).rejects.toMatchObject({
        code: 'RUNNER_UNAVAILABLE',
        hint: expect.stringContaining('DOCKER_NETWORK'),
      });
    });

    it('lists the other images beside one that cannot describe itself', async () => {
      await build('liar', { title: 'no prefix' });
      try {
        await expect(given.runner.resolve('liar')).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
        expect(await given.runner.list()).toEqual([
          expect.objectContaining({ name: 'liar', present: false }),
          expect.objectContaining({ name: 'suite', present: true }),
        ]);
      } finally {
        await docker.getImage(`${PREFIX}liar:latest`).remove({ force: true });
      }
    });

    it('takes no image of ours for a script that does not say it is one', async () => {
      await build('gateway', SUITE_SOURCE, '');
      await expect(given.runner.resolve('gateway')).rejects.toMatchObject({ code: 'UNKNOWN_SOURCE' });
    });

    it.each([
      ['there is no socket', new Docker({ socketPath: '/absent/docker.sock' })],
      ['nothing listens', new Docker({ host: '127.0.0.1', port: 1 })],
    ])('says that there is no engine: %s', async (_why, engine) => {
      const failure = { code: 'RUNNER_UNAVAILABLE', hint: expect.stringMatching(/RUNNER=process/) };
      const runner = runnerOn(engine);
      for (const call of [runner.check(), runner.list(), runner.resolve('suite')]) {
        await expect(call).rejects.toMatchObject(failure);
      }
    });
  });
});
