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
