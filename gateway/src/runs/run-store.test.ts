import { type Lake, LakeError, type RunRecord, runKeys, runMarkerKey } from '@ingesta/kit';
import { givenLake, givenRunRecord, keysOf, readJson } from '../testing/given';
import { changeRun, findRun, openRun, readRun } from './run-store';

describe('a run record', () => {
  let lake: Lake;
  let remove: () => Promise<void>;
  beforeEach(async () => ({ lake, remove } = await givenLake()));
  afterEach(() => remove());
  const record: RunRecord = givenRunRecord();
  const stored = () => readJson(lake, runKeys('mysql', record.run_id).run);

  it('says running, then how it ended, with a revision that grows', async () => {
    const run = await openRun(lake, record);
    expect(await stored()).toEqual(record);
    const later = await changeRun(lake, run, { attempts: 2 });
    await changeRun(lake, later, { state: 'succeeded', duration_ms: 1000 });
    expect(await stored()).toMatchObject({ state: 'succeeded', attempts: 2, duration_ms: 1000, revision: 2 });
  });

  it('keeps its terminal state, and tells it to whoever comes later', async () => {
    const run = await openRun(lake, record);
    await changeRun(lake, run, { state: 'failed' });
    expect((await changeRun(lake, run, { state: 'succeeded' })).record.state).toBe('failed');
    expect(await stored()).toMatchObject({ state: 'failed', revision: 1 });
  });

  it('takes up what somebody else wrote meanwhile', async () => {
    const run = await openRun(lake, record);
    await changeRun(lake, run, { attempts: 2 });
    expect((await changeRun(lake, run, { state: 'failed' })).record).toMatchObject({ attempts: 2, state: 'failed' });
  });

  it('is changed once when the answer is lost', async () => {
    const run = await openRun(lake, record);
    let writes = 0;
    const through = Object.assign(Object.create(lake), {
      get: lake.get.bind(lake),
      putIfMatch: async (key: string, body: Uint8Array, etag: string) => {
        writes += 1;
        await lake.putIfMatch(key, body, etag);
        throw new LakeError('unavailable', 'the answer was lost', '');
      },
    });
    expect((await changeRun(through, run, { state: 'failed' })).record).toMatchObject({ state: 'failed', revision: 1 });
    expect(writes).toBe(1);
  });

  it('is not opened over another one', async () => {
    await openRun(lake, record);
    await expect(openRun(lake, { ...record, attempts: 7 })).rejects.toMatchObject({ kind: 'precondition' });
  });

  it('is found by its id alone, through its marker', async () => {
    expect(await findRun(lake, record.run_id)).toBeNull();
    await openRun(lake, record);
    expect(await keysOf(lake, '_ingesta/index/')).toEqual([runMarkerKey(record.run_id, 'mysql')]);
    expect(await findRun(lake, record.run_id)).toEqual(await readRun(lake, 'mysql', record.run_id));
    for (const id of ['', 'x', '../x', `${record.run_id}x`, record.run_id.toUpperCase()])
      expect(await findRun(lake, id)).toBeNull();
  });

  it('of an older version is read with what it lacks filled in', async () => {
    const { revision, epoch, gateway, deadline, progress, warnings, ...old } = record;
    await lake.putIfAbsent(runKeys('mysql', record.run_id).run, Buffer.from(JSON.stringify(old)));
    expect((await readRun(lake, 'mysql', record.run_id))?.record).toEqual({ ...record, gateway: null, deadline: null });
  });
});
