import { once } from 'node:events';
import { createRecord } from './create-record';
import { type Lake, LakeError, type LakeFailure } from './lake';

const BODY = Buffer.from('{"own":1}');
const failure = (kind: LakeFailure) => new LakeError(kind, kind, 'hint');

/** A lake of one key. Each write meets the next of `answers`: a refusal, one after the write (`lost`), or none. */
function lakeWhere(answers: (LakeFailure | 'lost')[]) {
  let stored: Buffer | null = null;
  const lake = {
    puts: 0,
    /** How many of the next look-ups get no answer. */
    silent: 0,
    store: (body: Buffer) => {
      stored = body;
    },
    putIfAbsent: async (_key: string, body: Uint8Array) => {
      const answer = answers[lake.puts++];
      if (answer && answer !== 'lost') throw failure(answer);
      if (stored) throw failure('precondition');
      stored = Buffer.from(body);
      if (answer) throw failure('unavailable');
      return { etag: 'put' };
    },
    get: async () => {
      if (lake.silent-- > 0) throw failure('unavailable');
      return stored && { body: stored, etag: 'got' };
    },
  } satisfies Pick<Lake, 'putIfAbsent' | 'get'> & Record<string, unknown>;
  return lake;
}

describe('a record that only its writer writes', () => {
  let paused: number[];
  const pauses = {
    sleep: async (ms: number) => {
      paused.push(ms);
    },
  };
  beforeEach(() => {
    paused = [];
  });

  it.each<[string, (LakeFailure | 'lost')[], number, string, number]>([
    ['did not arrive', ['unavailable', 'unavailable', 'unavailable'], 0, 'put', 4],
    ['met a conflict that left nothing', ['precondition'], 0, 'put', 2],
    ['arrived, although the answer was lost', ['lost'], 0, 'got', 1],
    ['arrived, although its answer and the look-up were lost', ['lost'], 1, 'got', 2],
  ])('is there in the end where it %s', async (_, answers, silent, etag, puts) => {
    const lake = Object.assign(lakeWhere(answers), { silent });
    expect(await createRecord(lake, 'k', BODY, { pauses })).toEqual({ etag });
    expect([lake.puts, paused]).toEqual([puts, [200, 1000, 3000].slice(0, puts - 1)]);
  });

  it.each<[string, LakeFailure[], number]>([
    ['denied', ['denied'], 1],
    ['unavailable', Array(5).fill('unavailable'), 4],
  ])('fails as %s where the lake stays so', async (kind, answers, puts) => {
    const lake = lakeWhere(answers);
    await expect(createRecord(lake, 'k', BODY, { pauses })).rejects.toMatchObject({ kind, hint: 'hint' });
    expect(lake.puts).toBe(puts);
  });

  it('fails at once where something else stands there', async () => {
    const lake = lakeWhere([]);
    lake.store(Buffer.from('of somebody else'));
    await expect(createRecord(lake, 'k', BODY, { pauses })).rejects.toMatchObject({ kind: 'precondition' });
    expect([lake.puts, paused]).toEqual([1, []]);
  });

  it('is not tried again by somebody who was told to stop', async () => {
    const stop = new AbortController();
    const lake = lakeWhere(Array(5).fill('unavailable'));
    const untilStopped = { sleep: async (_ms: number, signal?: AbortSignal) => void (await once(signal!, 'abort')) };
    setImmediate(() => stop.abort());
    const creation = createRecord(lake, 'k', BODY, { signal: stop.signal, pauses: untilStopped });
    await expect(creation).rejects.toMatchObject({ kind: 'unavailable' });
    expect(lake.puts).toBe(1);
  });
});
