import { type Lake, pointerKey } from '@ingesta/kit';
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
