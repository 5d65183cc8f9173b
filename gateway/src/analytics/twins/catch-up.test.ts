import { type Lake, LakeError, pointerKey } from '@ingesta/kit';
import { commitSnapshot } from '../../testing/commit-snapshot';
import { capturedLog, givenLake } from '../../testing/given';
import { Snapshots } from '../snapshots';
import { CatchUp } from './catch-up';

const columns = [{ name: 'id', logical_type: 'integer', source_type: 'int' }] as const;

const RUN = { runId: '01890a5d-ac96-774b-bcce-b302099a8051', takenAt: '2025-01-02T00:00:00.000Z' };

let lake: Lake;
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, remove } = await givenLake()));
afterEach(() => remove());

it('goes through all that is committed, whatever is wrong with one of them', async () => {
  for (const database of ['mysql', 'postgresql'])
    await commitSnapshot(lake, database, { users: { csv: 'id\n', columns } }, RUN);
  await lake.putIfAbsent(pointerKey('broken'), Buffer.from('no JSON'));
  const resumed: string[] = [];
  const { log, lines } = capturedLog();
  const twins = {
    resume: async ({ database }: { database: string }) => {
      resumed.push(database);
    },
  };
  const open = async () => lake;
  await new CatchUp({ lake: open, snapshots: new Snapshots(open), twins, log }).all();
  expect(resumed).toEqual(['mysql', 'postgresql']);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 'warn', database: 'broken' }]);
});

it('wants to be called again where the lake failed for one of them, and goes through the others first', async () => {
  for (const database of ['mysql', 'postgresql'])
    await commitSnapshot(lake, database, { users: { csv: 'id\n', columns } }, RUN);
  const resumed: string[] = [];
  let blinks = 1;
  const twins = {
    resume: async ({ database }: { database: string }) => {
      if (blinks-- > 0) throw new LakeError('unavailable', 'the lake blinks', '');
      resumed.push(database);
    },
  };
  const { log, lines } = capturedLog();
  const open = async () => lake;
  const catchUp = new CatchUp({ lake: open, snapshots: new Snapshots(open), twins, log });
  await expect(catchUp.all()).rejects.toThrow('the lake blinks');
  expect(resumed).toEqual(['postgresql']);
  await catchUp.all();
  expect(resumed).toEqual(['postgresql', 'mysql', 'postgresql']);
  expect(lines).toEqual([]);
});
