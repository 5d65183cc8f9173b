import { KnownSources } from '../health/known-sources';
import { ShippedSources } from '../sources/shipped-sources';
import { type FakeContainer, FakeEngine } from '../testing/fake-engine';
import { useRealTime, useVirtualTime } from '../testing/virtual-time';
import { DockerRunner } from './docker-runner';
import { SUITE_SOURCE } from './runner-suite';

let engine: FakeEngine;
let runner: DockerRunner;
beforeEach(() => {
  useVirtualTime();
  engine = new FakeEngine(['a', 'b', 'c']);
  engine.script = describing(1);
  runner = new DockerRunner(engine.docker, new ShippedSources(null), { prefix: 'ingesta-', tag: 'latest' });
});
afterEach(useRealTime);

/** Scripts that take so many seconds to print their description. */
const describing = (seconds: number) => (container: FakeContainer) =>
  void setTimeout(() => container.exit(0, JSON.stringify(SUITE_SOURCE)), seconds * 1000);
const pass = (seconds: number) => jest.advanceTimersByTimeAsync(seconds * 1000);
const present = async () => (await runner.list()).filter((listing) => listing.present).map(({ name }) => name);

const TOO_SLOW = { code: 'RUNNER_UNAVAILABLE', hint: expect.stringContaining('overloaded') };

describe('images on a slow host', () => {
  it('are asked one at a time, each with a minute of its own', async () => {
    engine.script = describing(50);
    const listed = present();
    await pass(149);
    expect(engine.containers.map(({ removed }) => removed)).toEqual([true, true, false]);
    await pass(10);
    expect(await listed).toEqual(['a', 'b', 'c']);
    expect(engine.left).toEqual([]);
  });

  it('are not said to be broken when they were too slow, and are asked again next time', async () => {
    engine.script = (container) => container.image === 'sha256:b' || describing(1)(container);
    const listed = runner.list();
    const resolved = expect(runner.resolve('b')).rejects.toMatchObject({
      ...TOO_SLOW,
      message: expect.stringContaining('within 60 s'),
    });
    await pass(70);
    await resolved;
    expect(await listed).toEqual([
      expect.objectContaining({ name: 'a', present: true }),
      expect.objectContaining({ name: 'b', present: false, hint: TOO_SLOW.hint }),
      expect.objectContaining({ name: 'c', present: true }),
    ]);
    engine.script = describing(1);
    const again = present();
    await pass(2);
    expect(await again).toEqual(['a', 'b', 'c']);
    // Those that had answered were not asked again.
    expect(engine.containers).toHaveLength(4);
    expect(engine.left).toEqual([]);
  });

  it('are too slow also where the engine does not get as far as to launch them', async () => {
    engine.takes.create = 90_000;
    const resolved = expect(runner.resolve('a')).rejects.toMatchObject(TOO_SLOW);
    await pass(70);
    await resolved;
    await pass(30);
    expect(engine.containers).toHaveLength(1);
    expect(engine.left).toEqual([]);
  });

  it('are not said to be broken where the engine is lost meanwhile', async () => {
    engine.takes.inspect = Number.POSITIVE_INFINITY;
    engine.script = (container) => setTimeout(() => container.exit(143), 20_000);
    const resolved = expect(runner.resolve('a')).rejects.toMatchObject({ code: 'RUNNER_UNAVAILABLE' });
    await pass(50);
    await resolved;
  });

  it('are listed to the next one who asks, where the first would not wait', async () => {
    const sources = new KnownSources(runner);
    engine.script = describing(10);
    const first = sources.read();
    await pass(6);
    expect(await first).toMatchObject({ listings: [], problem: expect.stringMatching(/RUNNER_UNAVAILABLE.*list/) });
    await pass(30);
    const second = sources.read();
    await pass(1);
    expect((await second).listings.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(engine.containers).toHaveLength(3);
  });
});

describe('an image that describes itself wrongly', () => {
  it('is not launched again for a minute', async () => {
    engine.script = (container) => setTimeout(() => container.exit(1), 1000);
    const ask = async () => {
      const resolved = expect(runner.resolve('a')).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
      await pass(2);
      await resolved;
    };
    await ask();
    await pass(30);
    await ask();
    expect(engine.containers).toHaveLength(1);
    await pass(60);
    await ask();
    expect(engine.containers).toHaveLength(2);
  });
});

describe('close', () => {
  it('ends the image that is asked, and those that wait, and leaves no container', async () => {
    engine.script = () => undefined;
    const failed = Promise.all(
      ['a', 'b', 'c'].map((name) =>
        expect(runner.resolve(name)).rejects.toMatchObject({ message: expect.stringContaining('shutting down') }),
      ),
    );
    await pass(5);
    engine.takes.stop = 1_000;
    const closed = runner.close();
    await pass(2);
    await Promise.all([closed, failed]);
    expect(engine.containers).toHaveLength(1);
    expect(engine.left).toEqual([]);
  });

  it('waits for a container that is only just being made', async () => {
    engine.takes.create = 3_000;
    const failed = expect(runner.resolve('a')).rejects.toMatchObject({ code: 'RUNNER_UNAVAILABLE' });
    await pass(1);
    const closed = runner.close();
    await pass(3);
    await Promise.all([closed, failed]);
    expect(engine.containers).toHaveLength(1);
    expect(engine.left).toEqual([]);
  });
});
