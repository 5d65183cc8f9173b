import { type Lake, runKeys } from '@ingesta/kit';
import { uuidv7 } from 'uuidv7';
import { openRun } from '../runs/run-store';
import { capturedLog, givenLake, givenRunRecord } from '../testing/given';
import { reap } from './reaper';

let lake: Lake;
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, remove } = await givenLake()));
afterEach(() => remove());

it('goes by the deadline of a launch whose record cannot be read, and by the record of the others', async () => {
  const [over, live, badAndOver, badAndLive] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  await openRun(lake, givenRunRecord({ run_id: over, state: 'failed' }));
  await openRun(lake, givenRunRecord({ run_id: live }));
  for (const runId of [badAndOver, badAndLive]) await lake.putIfAbsent(runKeys('mysql', runId).run, Buffer.from('{}'));
  const isOver = new Map<string, boolean>();
  const runner = {
    reap: async (_: string, ask: Parameters<Parameters<typeof reap>[0]['runner']['reap']>[1]) => {
      for (const runId of [badAndOver, badAndLive, over, live]) {
        const deadline = new Date(runId === badAndLive ? Date.now() : 0);
        isOver.set(runId, await ask({ runId, database: 'mysql', deadline }));
      }
      return [];
    },
  };
  await reap({ runner, lake: async () => lake, deployment: 'd', isOwn: () => false, log: capturedLog().log });
  expect([over, live, badAndOver, badAndLive].map((runId) => isOver.get(runId))).toEqual([true, false, true, false]);
});
