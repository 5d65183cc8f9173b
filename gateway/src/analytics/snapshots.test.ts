import { type Lake, pointerKey } from '@ingesta/kit';
import { commitSnapshot } from '../testing/commit-snapshot';
import { givenLake } from '../testing/given';
import { Snapshots } from './snapshots';

const RUNS = ['01890a5d-ac96-774b-bcce-b302099a8051', '01890a5d-ac96-774b-bcce-b302099a8052'] as const;

describe('reading snapshots', () => {
  let lake: Lake;
  let remove: () => Promise<void>;
  beforeEach(async () => {
    ({ lake, remove } = await givenLake());
  });
  afterEach(() => remove());
  const commit = (runId: string) => commitSnapshot(lake, 'mysql', {}, { runId, takenAt: '2025-01-02T00:00:00.000Z' });

  it('reads once for all who wait, and never shows less than was there when they came', async () => {
    let opened = 0;
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const snapshots = new Snapshots(async () => {
      opened += 1;
      if (opened === 1) await gate;
      return lake;
    });
    await commit(RUNS[0]);
    const first = snapshots.read('mysql');
    const later = Array.from({ length: 20 }, () => snapshots.read('mysql'));
    open();
    expect(await first).toMatchObject({ run_id: RUNS[0] });
    for (const manifest of await Promise.all(later)) expect(manifest).toMatchObject({ run_id: RUNS[0] });
    expect(opened).toBe(2);
    await commit(RUNS[1]);
    expect(await snapshots.read('mysql')).toMatchObject({ run_id: RUNS[1] });
  });

  it('costs one small object once the manifest is known', async () => {
    const asked: string[] = [];
    const listening = new Proxy(lake, {
      get: (target, name: keyof Lake) =>
        name === 'get' ? (key: string) => asked.push(key) && target.get(key) : target[name],
    });
    const snapshots = new Snapshots(async () => listening);
    await commit(RUNS[0]);
    await snapshots.read('mysql');
    asked.length = 0;
    expect(await snapshots.read('mysql')).toMatchObject({ run_id: RUNS[0] });
    expect(asked).toEqual([pointerKey('mysql')]);
    await commit(RUNS[1]);
    expect(await snapshots.read('mysql')).toMatchObject({ run_id: RUNS[1] });
  });

  it('tells each caller of a failure, and tries again for the next', async () => {
    let fails = true;
    const snapshots = new Snapshots(async () => {
      if (fails) throw new Error('no lake');
      return lake;
    });
    const all = [snapshots.read('mysql'), snapshots.read('mysql'), snapshots.read('mysql')];
    for (const reading of all) await expect(reading).rejects.toThrow('no lake');
    fails = false;
    expect(await snapshots.read('mysql')).toBeNull();
  });
});
