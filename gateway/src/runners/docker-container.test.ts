import { ApiError } from '../errors';
import { FakeEngine } from '../testing/fake-engine';
import { useRealTime, useVirtualTime } from '../testing/virtual-time';
import { launchContainer } from './docker-container';
import { ignored, never } from './runner-suite';

let engine: FakeEngine;
beforeEach(() => {
  useVirtualTime();
  engine = new FakeEngine();
});
afterEach(useRealTime);

const launch = (signal = never) =>
  launchContainer(engine.docker, { Image: 'script' }, { stdin: null, signal, onEvent: ignored });
const pass = (seconds: number) => jest.advanceTimersByTimeAsync(seconds * 1000);

describe('an engine that was too slow to answer once', () => {
  /** A launch whose engine gave no answer to the first look. */
  async function unseen() {
    const ended = launch();
    engine.takes.inspect = Number.POSITIVE_INFINITY;
    await pass(16);
    delete engine.takes.inspect;
    return { ended, container: engine.containers[0]! };
  }

  it('is believed again once it has said that the script still runs', async () => {
    const { ended, container } = await unseen();
    await pass(10);
    container.exit(137);
    await pass(0);
    expect(await ended).toMatchObject({ exitCode: 137, oomKilled: true });
  });

  it('may have ended the script itself until then', async () => {
    const { ended, container } = await unseen();
    container.exit(137);
    await pass(0);
    expect(await ended).toMatchObject({ exitCode: null, oomKilled: false });
  });

  it('may have ended it where the container was started anew', async () => {
    const ended = launch();
    await pass(6);
    engine.takes.inspect = Number.POSITIVE_INFINITY;
    await pass(16);
    delete engine.takes.inspect;
    engine.containers[0]!.state.StartedAt = '2025-01-02T16:30:45Z';
    await pass(10);
    engine.containers[0]!.exit(137);
    await pass(0);
    expect(await ended).toMatchObject({ exitCode: null });
  });
});

describe('an engine whose disk stalls', () => {
  const NO_ANSWER = { code: 'RUNNER_UNAVAILABLE', message: expect.stringContaining('no answer within 60 s') };
  const CANCELLED = new ApiError('RUN_CANCELLED', 'The run was cancelled');

  it.each(['create', 'attach', 'start', 'remove'] as const)('is waited for: %s', async (call) => {
    engine.takes[call] = 40_000;
    engine.script = (container) => setTimeout(() => container.exit(0, 'done'), 1_000);
    const ended = launch();
    await pass(50);
    expect(await ended).toMatchObject({ exitCode: 0, stdout: Buffer.from('done') });
    expect(engine.asked.filter((asked) => asked === 'remove')).toHaveLength(1);
    expect(engine.left).toEqual([]);
  });

  it.each(['create', 'attach', 'start'] as const)('is not waited for without end: %s', async (call) => {
    engine.takes[call] = 90_000;
    const failed = expect(launch()).rejects.toMatchObject(NO_ANSWER);
    await pass(61);
    await failed;
    // What comes after that is removed, too.
    await pass(60);
    expect(engine.containers).toHaveLength(1);
    expect(engine.left).toEqual([]);
  });

  it.each(['create', 'attach', 'start'] as const)('holds up nobody who gives up the run: %s', async (call) => {
    engine.takes[call] = 30_000;
    const stop = new AbortController();
    const failed = expect(launch(stop.signal)).rejects.toBe(CANCELLED);
    await pass(1);
    stop.abort(CANCELLED);
    await pass(7);
    await failed;
    await pass(30);
    expect(engine.containers).toHaveLength(1);
    expect(engine.left).toEqual([]);
  });

  it('is waited for a little by who gives up the run, so that its container is gone by then', async () => {
    engine.takes.create = 3_000;
    const ended = launch(AbortSignal.abort(CANCELLED));
    await pass(5);
    expect(await ended).toMatchObject({ exitCode: 143 });
    expect(engine.left).toEqual([]);
  });

  it('is not asked again to remove what it gave no answer for', async () => {
    engine.takes.remove = Number.POSITIVE_INFINITY;
    engine.script = (container) => container.exit(0);
    const ended = launch();
    await pass(61);
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(engine.asked.filter((asked) => asked === 'remove')).toHaveLength(1);
  });
});
