import type { Lake } from '@ingesta/kit';
import { givenLake, givenRunRecord } from '../testing/given';
import { RunLooks } from './run-looks';
import { openRun } from './run-store';

describe('RunLooks', () => {
  let lake: Lake;
  let remove: () => Promise<void>;
  let asked: number;
  let now: number;
  let looks: RunLooks;
  beforeEach(async () => {
    const given = await givenLake();
    remove = given.remove;
    asked = 0;
    now = 0;
    looks = new RunLooks({ mono: () => now });
    await openRun(given.lake, givenRunRecord());
    const get: Lake['get'] = (key) => {
      asked += 1;
      return given.lake.get(key);
    };
    lake = { get } as Lake;
  });
  afterEach(() => remove());

  it('asks the lake once a second, however many follow', async () => {
    const run = givenRunRecord();
    const found = await Promise.all(Array.from({ length: 1000 }, () => looks.read(lake, run)));
    expect(found[0]?.record.run_id).toBe(run.run_id);
    expect(new Set(found).size).toBe(1);
    now = 999;
    await looks.read(lake, run);
    expect(asked).toBe(1);
    now = 1000;
    await looks.read(lake, run);
    expect(asked).toBe(2);
  });

  it('takes no run for another', async () => {
    const [one, other] = await Promise.all([
      looks.read(lake, givenRunRecord()),
      looks.read(lake, givenRunRecord({ run_id: '01890a5d-ac96-774b-bcce-b302099a8058' })),
    ]);
    expect([one?.record.run_id, other]).toEqual([givenRunRecord().run_id, null]);
  });

  it('asks again after a failure', async () => {
    const silent = { get: () => Promise.reject(new Error('silent')) } as unknown as Lake;
    await expect(looks.read(silent, givenRunRecord())).rejects.toThrow('silent');
    now = 1000;
    expect(await looks.read(lake, givenRunRecord())).not.toBeNull();
  });
});
