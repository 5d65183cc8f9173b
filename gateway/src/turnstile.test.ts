import { Turnstile } from './turnstile';

const full = () => new Error('full');
const never = () => new AbortController().signal;

/** Work that ends when told. */
function held() {
  let end = () => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { done, end };
}

describe('the turnstile', () => {
  it('lets so many in at a time, the others in order, and is empty afterwards', async () => {
    const turnstile = new Turnstile(2, 10, full);
    const works = [held(), held(), held(), held()];
    const entered: number[] = [];
    const all = works.map(({ done }, i) =>
      turnstile.run(never(), async () => {
        entered.push(i);
        await done;
      }),
    );
    await new Promise(setImmediate);
    expect(entered).toEqual([0, 1]);
    works[1]!.end();
    await all[1];
    await new Promise(setImmediate);
    expect(entered).toEqual([0, 1, 2]);
    for (const { end } of works) end();
    await Promise.all(all);
    expect(entered).toEqual([0, 1, 2, 3]);
    await Promise.all([1, 2].map(() => turnstile.run(never(), async () => undefined)));
  });

  it('gives the place back when the work fails, and when who waited has gone', async () => {
    const turnstile = new Turnstile(1, 1, full);
    const work = held();
    const first = turnstile.run(never(), () => work.done);
    const leave = new AbortController();
    const second = turnstile.run(leave.signal, async () => 'second');
    await expect(turnstile.run(never(), async () => 'third')).rejects.toThrow('full');
    leave.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    const fourth = turnstile.run(never(), async () => {
      throw new Error('failed');
    });
    work.end();
    await first;
    await expect(fourth).rejects.toThrow('failed');
    expect(await turnstile.run(never(), async () => 'fifth')).toBe('fifth');
  });
});
