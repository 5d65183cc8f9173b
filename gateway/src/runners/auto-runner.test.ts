import { ApiError, type ErrorCode } from '../errors';
import { givenOutcome, givenSource, givenSpec } from '../testing/given';
import { AutoRunner } from './auto-runner';
import { NotDescribed } from './docker-images';
import type { LaunchableSource, Runner, SourceListing } from './runner';

const failing = (code: ErrorCode, message: string = code) => new ApiError(code, message);

/** Knows `mysql` or fails with `error`; tells by its exit code that it was the one to run. */
function fake(name: 'docker' | 'process', error?: ApiError, listings: SourceListing[] = []): Runner {
  const answer = async <T>(value: T): Promise<T> => {
    if (error) throw error;
    return value;
  };
  return {
    name,
    list: () => answer(listings),
    resolve: (source) => answer(givenSource({ name: source, runner: name })),
    run: async () => givenOutcome({ exitCode: name === 'docker' ? 1 : 2 }),
    reap: () => answer([name]),
    check: () => answer(undefined),
    close: async () => undefined,
  };
}
const listing = (name: string, present: boolean, reference = name): SourceListing =>
  present ? { name, reference, present, title: name } : { name, reference, present, title: name, hint: 'build' };

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: ApiError) => error.message,
  );

describe('AutoRunner', () => {
  it('takes Docker where it has the image', async () => {
    expect((await new AutoRunner(fake('docker'), fake('process')).resolve('mysql')).runner).toBe('docker');
  });

  it.each(['RUNNER_UNAVAILABLE', 'IMAGE_NOT_FOUND', 'UNKNOWN_SOURCE'] as const)(
    'falls back to a process on %s',
    async (code) => {
      const auto = new AutoRunner(fake('docker', failing(code)), fake('process'));
      expect((await auto.resolve('mysql')).runner).toBe('process');
    },
  );

  it('does not hide an image that is broken', async () => {
    const auto = new AutoRunner(fake('docker', failing('SCRIPT_FAILED')), fake('process'));
    expect(await codeOf(auto.resolve('mysql'))).toBe('SCRIPT_FAILED');
  });

  it('tells the more useful of two failures', async () => {
    const noProcess = fake('process', failing('IMAGE_NOT_FOUND', 'not built'));
    const withEngine = new AutoRunner(fake('docker', failing('IMAGE_NOT_FOUND', 'no image')), noProcess);
    expect(await codeOf(withEngine.resolve('mysql'))).toBe('no image');
    const without = new AutoRunner(fake('docker', failing('RUNNER_UNAVAILABLE')), noProcess);
    await expect(without.resolve('mysql')).rejects.toMatchObject({
      code: 'RUNNER_UNAVAILABLE',
      hint: expect.stringMatching(/DOCKER_GID.*Or without Docker:/),
    });
    await expect(without.check()).rejects.toMatchObject({ code: 'RUNNER_UNAVAILABLE' });
    const unknown = fake('process', failing('UNKNOWN_SOURCE', 'unknown'));
    const neither = new AutoRunner(fake('docker', failing('RUNNER_UNAVAILABLE')), unknown);
    expect(await codeOf(neither.resolve('mysql'))).toBe('unknown');
  });

  it('runs a job where its source was resolved', async () => {
    const auto = new AutoRunner(fake('docker'), fake('process'));
    const run = async (runner: LaunchableSource['runner']) =>
      (await auto.run(givenSpec(givenSource({ runner })), AbortSignal.timeout(1000), () => undefined)).exitCode;
    expect([await run('docker'), await run('process')]).toEqual([1, 2]);
  });

  it('lists each source once, sorted, as it would be launched', async () => {
    const docker = fake('docker', undefined, [
      listing('b', false, 'image'),
      listing('a', true, 'image'),
      listing('c', false, 'image'),
    ]);
    const processes = fake('process', undefined, [
      listing('a', true, 'folder'),
      listing('b', true, 'folder'),
      listing('c', false, 'folder'),
    ]);
    const listed = await new AutoRunner(docker, processes).list();
    expect(listed.map(({ name, reference }) => `${name} ${reference}`)).toEqual(['a image', 'b folder', 'c image']);
  });

  it('lists the folders where there is no engine', async () => {
    const auto = new AutoRunner(
      fake('docker', failing('RUNNER_UNAVAILABLE')),
      fake('process', undefined, [listing('a', true)]),
    );
    expect(await auto.list()).toEqual([listing('a', true)]);
  });

  it('is well as long as one of them is', async () => {
    const broken = failing('RUNNER_UNAVAILABLE');
    await new AutoRunner(fake('docker', broken), fake('process')).check();
    await new AutoRunner(fake('docker'), fake('process', broken)).check();
    expect(await codeOf(new AutoRunner(fake('docker', broken), fake('process', broken)).check())).toBe(
      'RUNNER_UNAVAILABLE',
    );
  });
});

describe('an engine that falls silent', () => {
  const SILENT = failing('RUNNER_UNAVAILABLE', 'no answer');
  const nobody = async () => false;

  /** An engine that `answers` as often as it is asked until the test has it fall silent. */
  function given(answers: ApiError | undefined) {
    const docker = fake('docker', answers);
    const processes = fake('process', undefined, [listing('mysql', true)]);
    return { auto: new AutoRunner(docker, processes), fallSilent: () => Object.assign(docker, fake('docker', SILENT)) };
  }

  it.each([
    ['it was well', undefined, (auto: AutoRunner) => auto.check()],
    ['it had the image', undefined, (auto: AutoRunner) => auto.resolve('mysql')],
    ['it had no such image', failing('IMAGE_NOT_FOUND'), (auto: AutoRunner) => auto.resolve('mysql')],
    ['it knew no such source', failing('UNKNOWN_SOURCE'), (auto: AutoRunner) => auto.resolve('mysql')],
  ])('after %s is no reason to launch processes, nor to list them', async (_, answers, ask) => {
    const { auto, fallSilent } = given(answers);
    await ask(auto);
    fallSilent();
    for (const asked of [
      () => auto.resolve('mysql'),
      () => auto.list(),
      () => auto.check(),
      () => auto.reap('d', nobody),
    ])
      await expect(asked()).rejects.toBe(SILENT);
  });

  it('after it had a list proves nothing: one that keeps no limits has lists, too', async () => {
    const { auto, fallSilent } = given(undefined);
    await auto.list();
    fallSilent();
    expect((await auto.resolve('mysql')).runner).toBe('process');
  });

  it('is not one whose image was too slow', async () => {
    const tooSlow = new NotDescribed('RUNNER_UNAVAILABLE', 'too slow');
    await expect(given(tooSlow).auto.resolve('mysql')).rejects.toBe(tooSlow);
  });
});

describe('reap', () => {
  const nobody = async () => false;
  it('is for the engine, and nothing is left where there is none', async () => {
    expect(await new AutoRunner(fake('docker'), fake('process')).reap('d', nobody)).toEqual(['docker']);
    const without = new AutoRunner(fake('docker', failing('RUNNER_UNAVAILABLE')), fake('process'));
    expect(await without.reap('d', nobody)).toEqual([]);
    const broken = new AutoRunner(fake('docker', failing('INTERNAL')), fake('process'));
    await expect(broken.reap('d', nobody)).rejects.toThrow('INTERNAL');
  });
});
