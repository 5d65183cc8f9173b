import { type Lake, LakeError, pointerKey } from '@ingesta/kit';
import { exportTables, givenJob, givenLake } from '../testing/given';
import { fence } from './fence';
import { publish, readCurrent } from './publication';

let lake: Lake;
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, remove } = await givenLake()));
afterEach(() => remove());

const pointer = async () => (await readCurrent(lake, 'mysql'))?.pointer;
const through = (change: Partial<Lake>): Lake => ({ ...bound(), ...change }) as Lake;
const bound = () => ({ get: lake.get.bind(lake), putIfAbsent: lake.putIfAbsent.bind(lake) });

describe('fence', () => {
  it('creates the pointer of a database that has none, naming no manifest', async () => {
    await fence(lake, 'mysql', 1);
    expect(await pointer()).toMatchObject({ epoch: 1, manifest: null });
  });

  it('keeps the manifest, and shuts out whoever fenced before', async () => {
    const result = await exportTables(lake, givenJob(), { users: 'id\n1\n' });
    const common = { result, imageDigest: null, partial: false, settings: {} };
    await publish(lake, { ...common, base: await fence(lake, 'mysql', 1) });
    const old = await fence(lake, 'mysql', 2);
    const own = await fence(lake, 'mysql', 3);
    expect(own.manifest?.run_id).toBe(result.run_id);
    expect((await pointer())?.manifest).toBe(old.pointer.manifest);
    const late = { ...common, result: { ...result, run_id: 'late' } };
    await expect(publish(lake, { ...late, base: old })).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe(result.run_id);
  });

  it('gives up before a higher epoch, and changes nothing', async () => {
    await fence(lake, 'mysql', 5);
    const before = await lake.get(pointerKey('mysql'));
    await expect(fence(lake, 'mysql', 4)).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await lake.get(pointerKey('mysql'))).toEqual(before);
  });

  it('knows its own write again when the answer was lost', async () => {
    await fence(lake, 'mysql', 1);
    let writes = 0;
    const putIfMatch: Lake['putIfMatch'] = async (key, body, etag) => {
      writes += 1;
      await lake.putIfMatch(key, body, etag);
      throw new LakeError('unavailable', 'the answer was lost', '');
    };
    const own = await fence(through({ putIfMatch }), 'mysql', 2);
    expect(writes).toBe(1);
    expect(own.etag).toBe((await lake.get(pointerKey('mysql')))?.etag);
  });

  it('tries again after a conflict, and tells a refusal at once', async () => {
    await fence(lake, 'mysql', 1);
    let writes = 0;
    const conflict: Lake['putIfMatch'] = async (key, body, etag) => {
      writes += 1;
      if (writes === 1) throw new LakeError('precondition', 'ConditionalRequestConflict', '');
      return lake.putIfMatch(key, body, etag);
    };
    await fence(through({ putIfMatch: conflict }), 'mysql', 2);
    expect(await pointer()).toMatchObject({ epoch: 2 });
    const denied = new LakeError('denied', 'no', '');
    await expect(fence(through({ putIfMatch: () => Promise.reject(denied) }), 'mysql', 3)).rejects.toBe(denied);
  });
});
