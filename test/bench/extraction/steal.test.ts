import { leastDisturbed, stealClock } from './steal';

/** Runs that lose these shares, one after the other. */
async function counted(steals: readonly (number | null)[], ms = 1000) {
  let runs = 0;
  const { steal } = await leastDisturbed(async () => ({ ms, steal: steals[runs++]! }));
  return { runs, steal };
}

describe('a run on a machine that others use, too', () => {
  it('counts at once where they took little, or nobody can tell', async () => {
    expect(await counted([0.01, 0])).toEqual({ runs: 1, steal: 0.01 });
    expect(await counted([null, 0])).toEqual({ runs: 1, steal: null });
  });

  it('is repeated until they leave it alone, three times at most; the least disturbed counts, not the fastest', async () => {
    expect(await counted([0.2, 0.1, 0.02, 0])).toEqual({ runs: 3, steal: 0.02 });
    expect(await counted([0.2, 0.05, 0.3, 0.4, 0])).toEqual({ runs: 4, steal: 0.05 });
  });

  it('is not repeated where it is long', async () => {
    expect(await counted([0.2, 0], 60_000)).toEqual({ runs: 1, steal: 0.2 });
  });

  it('knows the share from the kernel', () => {
    const stolen = stealClock();
    const until = Date.now() + 100;
    while (Date.now() < until);
    const share = stolen();
    expect(share).not.toBeNull();
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(1);
  });
});
