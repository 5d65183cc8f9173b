import { SharedWork } from './shared-work';

/** Work that ends when told, or when it is aborted. */
function given() {
  const shared = new SharedWork<string>();
  const started: AbortSignal[] = [];
  let end = (_: string) => {};
  let fail = (_: Error) => {};
  const ask = (leave: AbortController, key = 'k') =>
    shared.run(key, leave.signal, (signal) => {
      started.push(signal);
      return new Promise((resolve, reject) => {
        [end, fail] = [resolve, reject];
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    });
  return { ask, started, end: (value: string) => end(value), fail: (error: Error) => fail(error) };
}

const leaving = () => new AbortController();

describe('work that callers share', () => {
  it('is done once for the same key, and anew afterwards', async () => {
    const { ask, started, end } = given();
    const all = [ask(leaving()), ask(leaving())];
    end('done');
    expect(await Promise.all(all)).toEqual(['done', 'done']);
    const next = ask(leaving());
    end('again');
    expect(await next).toBe('again');
    expect(started).toHaveLength(2);
  });

  it('goes on for the others when a caller leaves, also the first one', async () => {
    const { ask, started, end } = given();
    const first = leaving();
    const [gone, other] = [ask(first), ask(leaving())];
    first.abort(new Error('left'));
    await expect(gone).rejects.toThrow('left');
    expect(started[0]!.aborted).toBe(false);
    end('done');
    expect(await other).toBe('done');
    expect(started).toHaveLength(1);
  });

  it('ends with the last caller; whoever comes then starts anew', async () => {
    const { ask, started, end } = given();
    const leaves = [leaving(), leaving()];
    const gone = leaves.map((leave) => ask(leave));
    for (const leave of leaves) leave.abort(new Error('left'));
    for (const one of gone) await expect(one).rejects.toThrow('left');
    expect(started[0]!.aborted).toBe(true);
    const next = ask(leaving());
    end('done');
    expect(await next).toBe('done');
    await expect(ask(leaves[0]!)).rejects.toThrow('left');
    expect(started).toHaveLength(2);
  });

  it('fails for all who wait, and is tried again for the next', async () => {
    const { ask, fail, end } = given();
    const all = [ask(leaving()), ask(leaving())];
    fail(new Error('broken'));
    for (const one of all) await expect(one).rejects.toThrow('broken');
    const next = ask(leaving());
    end('done');
    expect(await next).toBe('done');
  });
});
