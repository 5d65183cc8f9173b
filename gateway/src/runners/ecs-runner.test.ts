import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lake, LakeError, runKeys } from '@ingesta/kit';
import { EcsStandIn, type StandInDefinition } from '../../../test/services/ecs-stand-in';
import { awsSettings } from '../aws-settings';
import { parseConfig } from '../config';
import { ShippedSources } from '../sources/shipped-sources';
import { givenLake, keysOf, lakeWith } from '../testing/given';
import { EcsApi } from './ecs-api';
import { reapTasks } from './ecs-reaper';
import { EcsRunner } from './ecs-runner';
import type { JobSpec } from './runner';
import { ignored, launchSuite, never, type RunnerGiven, SUITE_SOURCE, specOf } from './runner-suite';

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'canary-aws', AWS_REGION: 'us-east-1' };

let folder: string;
let ecs: EcsStandIn;
let api: EcsApi;
let lake: Lake;
let removeLake: () => Promise<void>;
let given: RunnerGiven;
let definition: StandInDefinition;

const runnerOf = (connections = new Map(), through = lake) => {
  const config = parseConfig({ AWS_BUCKET_NAME: 'b-1', RUNNER: 'ecs', ECS_CLUSTER: 'suite', ECS_SUBNETS: 'subnet-1' });
  const services = { config: config.ecs!, shipped: new ShippedSources(join(folder, 'scripts')), connections };
  return new EcsRunner({ ...services, api, lake: async () => through, pollMs: 20 });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingesta-ecs-'));
  const suite = join(folder, 'scripts/suite');
  await mkdir(suite, { recursive: true });
  await writeFile(join(suite, 'source.json'), JSON.stringify(SUITE_SOURCE));
  await copyFile(join(__dirname, '../testing/suite-script.cjs'), join(suite, 'main.cjs'));
  const made = await givenLake();
  lake = made.lake;
  removeLake = made.remove;
  definition = {
    command: [process.execPath, 'main.cjs'],
    cwd: suite,
    container: {
      name: 'script',
      image: `registry.example/ingesta-suite@sha256:${'ab'.repeat(32)}`,
      environment: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=96' }],
      secrets: [{ name: 'SUITE_PASSWORD', valueFrom: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:suite' }],
      logConfiguration: {
        logDriver: 'awslogs',
        options: { 'awslogs-group': '/ecs/ingesta', 'awslogs-region': 'eu-west-1', 'awslogs-stream-prefix': 'run' },
      },
    },
  };
  ecs = new EcsStandIn();
  ecs.definitions.set('ingesta-suite', definition);
  api = new EcsApi('suite', awsSettings({ ...KEYS, AWS_ENDPOINT_URL: await ecs.start() }, 'ECS'));
  given = {
    runner: runnerOf(),
    left: async () => ecs.running(),
    labels: { 'ingesta.deployment': 'suite' },
    env: made.env,
  };
});
afterAll(async () => {
  await ecs.stop();
  await removeLake();
  await rm(folder, { recursive: true });
});
afterEach(() => {
  expect(ecs.faults).toEqual([]);
  definition.fate = undefined;
  ecs.calls.length = 0;
});

const launch = async (deed: string, env?: Record<string, string>, change?: Partial<JobSpec>) =>
  given.runner.run(await specOf(given, deed, env, change), never, ignored);

describe('EcsRunner', () => {
  launchSuite(() => given);

  it('takes what the script left in the lake for its stdout', async () => {
    const spec = await specOf(given, 'exit', { CODE: '0' });
    const { job } = spec;
    await lake.putIfAbsent(runKeys(job.database, job.run_id).result(1), Buffer.from('{"status":"success"}'));
    const outcome = await given.runner.run(spec, never, ignored);
    expect(outcome).toMatchObject({ exitCode: 0, stdout: Buffer.from('{"status":"success"}'), stdoutProblem: null });
    expect((await launch('exit', { CODE: '0' })).stdout).toHaveLength(0);
  });

  it('leaves a job of any size in the lake, and hands over where it lies', async () => {
    const spec = await specOf(given, 'exit', { CODE: '7', LONG: 'x'.repeat(200_000) });
    expect(await given.runner.run(spec, never, ignored)).toMatchObject({ exitCode: 7 });
    const stored = await lake.get(runKeys('suite', spec.job.run_id).job(1));
    expect(JSON.parse(stored!.body.toString())).toEqual(spec.job);
    expect(JSON.stringify(ecs.calls)).not.toContain('canary');
  });

  it('launches the task although the answer to the job’s write was lost', async () => {
    const lossy = lakeWith(lake, {
      putIfAbsent: async (key, body) => {
        await lake.putIfAbsent(key, body);
        throw new LakeError('unavailable', 'the answer was lost', '');
      },
    });
    const spec = await specOf(given, 'exit', { CODE: '5' });
    expect(await runnerOf(new Map(), lossy).run(spec, never, ignored)).toMatchObject({ exitCode: 5 });
  });

  it('leaves nothing of a dry run', async () => {
    const spec = await specOf(given, 'exit', { CODE: '0' });
    await given.runner.run({ ...spec, job: { ...spec.job, dry_run: true } }, never, ignored);
    expect(await keysOf(lake, runKeys('suite', spec.job.run_id).folder)).toEqual([]);
  });

  it('tells where the log is, in an event and in the last words', async () => {
    const events: unknown[] = [];
    const outcome = await given.runner.run(await specOf(given, 'events'), never, (event) => events.push(event));
    const url =
      /https:\/\/eu-west-1\.console\.aws\.amazon\.com\/cloudwatch\/home\?region=eu-west-1#logsV2:log-groups\/log-group\/\$252Fecs\$252Fingesta\/log-events\/run\$252Fscript\$252F[0-9a-f]{32}$/;
    expect(events).toEqual([expect.objectContaining({ event: 'log', message: expect.stringMatching(url) })]);
    expect(outcome.stderrTail).toMatch(url);
  });

  it('resolves to the revision, its digest, and the variables it brings', async () => {
    expect(await given.runner.resolve('suite')).toMatchObject({
      runner: 'ecs',
      reference: 'arn:aws:ecs:us-east-1:000000000000:task-definition/ingesta-suite:1',
      digest: `sha256:${'ab'.repeat(32)}`,
      provides: ['SUITE_PASSWORD', 'NODE_OPTIONS'],
    });
  });

  it('takes a task definition of its own for each named connection', async () => {
    const runner = runnerOf(new Map([['ventas', { kind: 'suite', envPrefix: 'VENTAS_' }]]));
    await expect(runner.resolve('ventas')).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      hint: expect.stringContaining('ingesta-ventas'),
    });
    expect(await runner.list()).toEqual([
      expect.objectContaining({ name: 'suite', present: true }),
      expect.objectContaining({ name: 'ventas', present: false, title: 'Suite' }),
    ]);
    ecs.definitions.set('ingesta-ventas', definition);
    expect(await runner.resolve('ventas')).toMatchObject({ name: 'ventas', envPrefix: 'VENTAS_' });
    ecs.definitions.delete('ingesta-ventas');
  });
});

describe('EcsRunner, when ECS fails', () => {
  it.each([
    [
      {
        stopCode: 'TaskFailedToStart',
        stoppedReason:
          'CannotPullContainerError: pull image manifest has been retried 1 time(s): registry.example/ingesta-suite: not found',
      },
      'IMAGE_NOT_FOUND',
      'Push the image',
    ],
    [
      { stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: dial tcp: i/o timeout' },
      'RUNNER_UNAVAILABLE',
      'registry',
    ],
    [
      {
        stopCode: 'TaskFailedToStart',
        stoppedReason: 'ResourceInitializationError: unable to pull secrets or registry auth',
      },
      'RUNNER_UNAVAILABLE',
      'secretsmanager:GetSecretValue',
    ],
    [
      { stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.', exitCode: 143 },
      'RUNNER_UNAVAILABLE',
      'capacity',
    ],
  ])('a task that ends with %j is told as %s', async (fate, code, hint) => {
    definition.fate = fate;
    const failure = { code, message: expect.stringContaining(fate.stoppedReason), hint: expect.stringContaining(hint) };
    await expect(launch('exit')).rejects.toMatchObject(failure);
  });

  it('takes what ECS calls out of memory for that', async () => {
    definition.fate = {
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      exitCode: 137,
      reason: 'OutOfMemoryError: Container killed due to memory usage',
    };
    expect(await launch('exit')).toMatchObject({ exitCode: 137, oomKilled: true });
    delete definition.fate.exitCode;
    expect(await launch('exit')).toMatchObject({ exitCode: 137, oomKilled: true });
  });

  it.each([
    ['RunTask', 'AccessDeniedException', 'not authorized to perform: ecs:RunTask', 'Allow ecs:RunTask'],
    ['RunTask', 'ExpiredTokenException', 'The security token included in the request is expired', 'expired'],
    ['RunTask', 'InvalidParameterException', 'The subnet ID subnet-1 does not exist', 'ECS_SUBNETS'],
    ['RunTask', 'ClusterNotFoundException', 'Cluster not found.', 'ECS_CLUSTER'],
    ['DescribeClusters', 'AccessDeniedException', 'no', 'ecs:DescribeClusters'],
  ])('%s refused with %s says what to do', async (action, type, message, hint) => {
    ecs.faults.push({ action, type, message });
    const done = action === 'RunTask' ? launch('exit') : given.runner.check();
    await expect(done).rejects.toMatchObject({ code: 'RUNNER_UNAVAILABLE', hint: expect.stringContaining(hint) });
  });

  it('says why no task was placed', async () => {
    ecs.faults.push({ action: 'RunTask', failures: [{ reason: 'Capacity is unavailable at this time.' }] });
    const failure = { code: 'RUNNER_UNAVAILABLE', message: expect.stringContaining('Capacity is unavailable') };
    await expect(launch('exit')).rejects.toMatchObject(failure);
  });

  it('sends what was throttled again, and looks on where a look fails', async () => {
    for (const action of ['RunTask', 'DescribeTasks'])
      ecs.faults.push({ action, type: 'ThrottlingException', message: 'Rate exceeded' });
    ecs.faults.push({ action: 'DescribeTasks', status: 500, type: 'ServerException', message: 'oh' });
    expect(await launch('exit', { CODE: '3' })).toMatchObject({ exitCode: 3 });
  });

  it('starts one task where the answer to RunTask was lost', async () => {
    ecs.faults.push({ action: 'RunTask', loseAnswer: true });
    expect(await launch('exit', { CODE: '4' })).toMatchObject({ exitCode: 4 });
    const sent = ecs.calls.filter(({ action }) => action === 'RunTask');
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('asks again where ECS did not hear that the task is to stop', async () => {
    ecs.faults.push({ action: 'StopTask', type: 'AccessDeniedException', message: 'not yet' });
    const stop = new AbortController();
    const outcome = await given.runner.run(await specOf(given, 'obey'), stop.signal, () => stop.abort());
    expect(outcome.exitCode).toBe(143);
  });
});

describe('EcsRunner, when ECS is silent', () => {
  it.each(['RunTask', 'DescribeTasks', 'StopTask'])('ends a run all the same, at %s', async (action) => {
    const stop = new AbortController();
    const spec = await specOf(given, 'obey');
    ecs.faults.push({ action, silent: true });
    const begin = () => setTimeout(() => stop.abort(), 300);
    if (action === 'StopTask') await given.runner.run(spec, stop.signal, begin);
    else {
      begin();
      const done = given.runner.run(spec, stop.signal, ignored);
      if (action === 'RunTask') await expect(done).rejects.toMatchObject({ code: 'RUNNER_UNAVAILABLE' });
      else expect((await done).exitCode).toBe(143);
    }
  });
});

describe('EcsRunner.reap', () => {
  const labelsOf = (run: string) => ({
    'ingesta.deployment': 'suite',
    'ingesta.run': run,
    'ingesta.db': 'suite',
    'ingesta.deadline': '2030-01-01T00:00:00.000Z',
  });

  it('stops the tasks of runs that are over, and no others', async () => {
    const stop = new AbortController();
    const started = ['over', 'going on', 'newborn'].map(async (run) => {
      const ready = new Promise<void>((resolve) => {
        void specOf(given, 'obey', {}, { labels: labelsOf(run) }).then((spec) =>
          runs.push(given.runner.run(spec, stop.signal, () => resolve())),
        );
      });
      await ready;
    });
    const runs: Promise<unknown>[] = [];
    await Promise.all(started);
    const [over, goingOn] = ['over', 'going on'].map((run) => taskOf(run));
    for (const arn of [over!, goingOn!]) ecs.age(arn, 60_000);
    const asked: string[] = [];
    const reaped = await given.runner.reap('suite', async ({ runId, database, deadline }) => {
      asked.push(runId);
      expect({ database, deadline }).toEqual({ database: 'suite', deadline: new Date('2030-01-01T00:00:00.000Z') });
      return runId === 'over';
    });
    expect(reaped).toEqual(['over']);
    expect(asked.sort()).toEqual(['going on', 'over']);
    expect(await given.runner.reap('another deployment', async () => true)).toEqual([]);
    stop.abort();
    await Promise.all(runs);
    const stopped = ecs.calls
      .filter(({ action }) => action === 'StopTask')
      .map(({ input }) => (input as { task: string }).task);
    expect(stopped[0]).toBe(over);
  });

  it('stops the others where one cannot be stopped, and tells of that one', async () => {
    const tagged = (run: string) => Object.entries(labelsOf(run)).map(([key, value]) => ({ key, value }));
    const stopped: string[] = [];
    const refusing = {
      startedBy: async () => ['a', 'stuck', 'b'].map((run) => ({ taskArn: run, tags: tagged(run) })),
      stop: async (task: string) => {
        if (task === 'stuck') throw new Error('not now');
        stopped.push(task);
      },
    };
    await expect(reapTasks(refusing, 'suite', async () => true)).rejects.toThrow('not now');
    expect(stopped).toEqual(['a', 'b']);
  });

  /** By the order of the launches, which is that of the tags. */
  function taskOf(run: string): string {
    const { input } = ecs.calls.find(
      ({ action, input }) => action === 'RunTask' && JSON.stringify(input).includes(`"${run}"`),
    )!;
    const token = (input as { clientToken: string }).clientToken;
    return ecs.arnOf(token);
  }
});
