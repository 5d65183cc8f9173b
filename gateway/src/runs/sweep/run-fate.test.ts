import * as fc from 'fast-check';
import { givenRunRecord } from '../../testing/given';
import { cursorAfter, fateOf, idTime, isPast } from './run-fate';

const RUN = '01890a5d-ac96-774b-bcce-b302099a8057';
const BORN = idTime(RUN);
const GRACE = 3_600_000;
const at = (ms: number) => new Date(BORN + ms).toISOString();
const ended = (state: 'failed' | 'cancelled' | 'succeeded', finishedMs: number, deadlineMs: number) =>
  givenRunRecord({ run_id: RUN, state, finished_at: at(finishedMs), deadline: at(deadlineMs) });

it('never touches a run that goes on, however old it is', () => {
  expect(fateOf(RUN, givenRunRecord(), BORN + 1e12, GRACE)).toBe('wait');
});

it('leaves a published run alone for ever', () => {
  expect(fateOf(RUN, ended('succeeded', 1000, 2000), BORN + 1e12, GRACE)).toBe('leave');
});

it.each(['failed', 'cancelled'] as const)(
  'sweeps a %s run after the grace, and once more after its deadline',
  (state) => {
    const record = ended(state, 1000, 10_000);
    expect(fateOf(RUN, record, BORN + 1000 + GRACE - 1, GRACE)).toBe('wait');
    expect(fateOf(RUN, record, BORN + 1000 + GRACE, GRACE)).toBe('sweep_again');
    expect(fateOf(RUN, record, BORN + 10_000 + GRACE - 1, GRACE)).toBe('sweep_again');
    expect(fateOf(RUN, record, BORN + 10_000 + GRACE, GRACE)).toBe('sweep');
  },
);

it('takes a marker without a record for a newborn until the grace is over', () => {
  expect(fateOf(RUN, null, BORN + GRACE - 1, GRACE)).toBe('wait');
  expect(fateOf(RUN, null, BORN + GRACE, GRACE)).toBe('leave');
});

it('goes past a run only when no marker can come behind it any more', () => {
  const day = 86_400_000;
  expect(isPast(RUN, 'leave', BORN + GRACE + day - 1, GRACE)).toBe(false);
  expect(isPast(RUN, 'leave', BORN + GRACE + day, GRACE)).toBe(true);
  expect(isPast(RUN, 'sweep', BORN + GRACE + day, GRACE)).toBe(true);
  for (const fate of ['wait', 'sweep_again'] as const) expect(isPast(RUN, fate, BORN + 1e12, GRACE)).toBe(false);
});

it('never moves the cursor over a run that is not past, nor back', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean()), (pasts) => {
      const looked = pasts.map((past, i) => ({ marker: `m${String(i).padStart(4, '0')}`, past }));
      const cursor = cursorAfter(looked, 'm9999') ?? '';
      expect(cursor <= 'm9999').toBe(true);
      for (const { marker, past } of looked) if (!past) expect(marker < cursor).toBe(true);
      const oldest = looked.at(-1);
      if (oldest?.past) expect(cursor).not.toBe('m9999');
    }),
  );
  expect(cursorAfter([], null)).toBeNull();
});
