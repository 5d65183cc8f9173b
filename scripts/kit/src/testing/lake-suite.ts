import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { heldMemory } from '../../../../test/held-memory';
import type { Lake, LakeError, LakeFailure } from '../lake/lake';

const MiB = 1024 ** 2;
const CSV = { contentType: 'text/csv' };

/** What only a test of one adapter can look at. */
export interface LakeProbes {
  /** Uploads or temporary files that were begun and not ended. */
  unfinished?: () => Promise<number>;
}

/** The contract of `Lake`, as tests. `open` gives a lake that is empty the first time; all lakes it gives are one. */
export function lakeSuite(name: string, open: () => Promise<Lake>, probes: LakeProbes = {}): void {
  describe(`${name} keeps the contract of Lake`, () => {
    let lake: Lake;
    let at: string;
    beforeAll(async () => {
      lake = await open();
    });
    beforeEach(() => {
      at = `t/${randomUUID()}`;
    });
    afterEach(async () => {
      if (probes.unfinished) expect(await probes.unfinished()).toBe(0);
    });
    afterAll(() => lake.close());

    const key = (suffix = 'x.csv') => `${at}/${suffix}`;
    const record = async (suffix: string) => (await lake.get(key(suffix)))?.body.toString();

    it.each([
      ['empty', 0],
      ['one byte', 1],
      ['a part less one byte', 5 * MiB - 1],
      ['exactly one part', 5 * MiB],
      ['a part and one byte', 5 * MiB + 1],
      ['exactly two parts', 10 * MiB],
      ['three parts', 10 * MiB + 1],
    ])('creates an object: %s', async (_, bytes) => {
      const body = noise(bytes);
      const created = await lake.create(key(), once(body), CSV);
      expect(created).toMatchObject({ bytes, sha256: sha256(body) });
      const head = await lake.head(key());
      expect(head).toMatchObject({ key: key(), bytes, etag: created.etag, metadata: {} });
      expect(Math.abs(head!.modified.getTime() - Date.now())).toBeLessThan(60_000);
      expect(sha256(await whole(await lake.read(key())))).toBe(sha256(body));
    });

    it('creates 40 MiB of unknown length from small chunks, visible only when complete', async () => {
      const hash = createHash('sha256');
      async function* body() {
        let left = 40 * MiB;
        for (let n = 0; left > 0; n += 1) {
          const chunk = noise(Math.min(left, n % 3 === 0 ? 1 : 1 + ((n * 7919) % 100_000)));
          hash.update(chunk);
          left -= chunk.length;
          yield chunk;
        }
        expect(await lake.head(key())).toBeNull();
        expect(await keysOf(lake.list(`${at}/`))).toEqual([]);
      }
      const { bytes, sha256: told } = await lake.create(key(), body(), CSV);
      expect({ bytes, told }).toEqual({ bytes: 40 * MiB, told: hash.digest('hex') });
      expect(sha256(await whole(await lake.read(key())))).toBe(told);
    });

    it('keeps the digests of objects apart that are created at once', async () => {
      const bodies = Array.from({ length: 4 }, (_, n) => noise(6 * MiB + n));
      const created = await Promise.all(bodies.map((body, n) => lake.create(key(`${n}.csv`), once(body), CSV)));
      expect(created.map((object) => object.sha256)).toEqual(bodies.map(sha256));
    });

    it.each([1, 6 * MiB])('refuses an existing key with a body of %d bytes and leaves its content', async (bytes) => {
      await lake.create(key(), once('first'), CSV);
      await fails('precondition', lake.create(key(), once(noise(bytes)), CSV));
      await fails('precondition', lake.putIfAbsent(key(), Buffer.from('third')));
      expect(await record('x.csv')).toBe('first');
    });

    it.each([0, 3, 12 * MiB])('passes on what the body throws after %d bytes and leaves nothing', async (bytes) => {
      const cause = new RangeError('the database went away');
      async function* body() {
        yield noise(bytes);
        throw cause;
      }
      await expect(lake.create(key(), body(), CSV)).rejects.toBe(cause);
      expect(await lake.head(key())).toBeNull();
    });

    it.each([3, 12 * MiB])('stops at once when aborted after %d bytes, even while the body hangs', async (bytes) => {
      const controller = new AbortController();
      let hung = () => {};
      const hanging = new Promise<void>((resolve) => {
        hung = resolve;
      });
      async function* body() {
        yield noise(bytes);
        hung();
        await new Promise(() => {});
      }
      const creation = lake.create(key(), body(), { ...CSV, signal: controller.signal });
      await Promise.all([hanging.then(() => controller.abort()), fails('aborted', creation)]);
      expect(await lake.head(key())).toBeNull();
    });

    it('closes the body when it stops early', async () => {
      let closed = false;
      const controller = new AbortController();
      async function* body() {
        try {
          for (let n = 0; ; n += 1) {
            yield noise(1000);
            if (n === 20) controller.abort();
          }
        } finally {
          closed = true;
        }
      }
      await fails('aborted', lake.create(key(), body(), { ...CSV, signal: controller.signal }));
      await sleep(1);
      expect(closed).toBe(true);
    });

    it('holds no more of a long body than a few blocks', async () => {
      let held = 0;
      const before = heldMemory();
      async function* body() {
        for (let n = 0; n < 200; n += 1) {
          yield noise(MiB);
          if (n % 40 === 39) held = Math.max(held, heldMemory() - before);
        }
      }
      await lake.create(key(), body(), CSV);
      expect(held).toBeLessThan(60 * MiB);
    });

    it('lets exactly one of many concurrent creations of a key win', async () => {
      const other = await open();
      const tries = Array.from({ length: 12 }, (_, n) =>
        (n % 2 ? lake : other).create(key(), once(noise(n % 4 < 2 ? 100 + n : 5 * MiB + n)), {
          ...CSV,
          metadata: { 'ingesta-attempt': `a${n}` },
        }),
      );
      const outcomes = await Promise.allSettled(tries);
      const winners = outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [n] : []));
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect((outcome.reason as LakeError).kind).toBe('precondition');
      }
      expect((await lake.head(key()))?.metadata).toEqual({ 'ingesta-attempt': `a${winners[0]}` });
      await other.close();
    });

    it('loses no update among 50 compare-and-swap increments', async () => {
      const other = await open();
      await lake.putIfAbsent(key('n.json'), Buffer.from('0'));
      const increment = async (through: Lake): Promise<void> => {
        const { body, etag } = (await through.get(key('n.json')))!;
        try {
          await through.putIfMatch(key('n.json'), Buffer.from(`${Number(body) + 1}`), etag);
        } catch (error) {
          expect((error as LakeError).kind).toBe('precondition');
          await sleep(Math.random() * 20);
          return increment(through);
        }
      };
      await Promise.all(Array.from({ length: 50 }, (_, n) => increment(n % 2 ? lake : other)));
      expect(await record('n.json')).toBe('50');
      await other.close();
    });

    it('replaces a record only while its ETag is the given one', async () => {
      const first = await lake.putIfAbsent(key('r.json'), Buffer.from('1'));
      expect((await lake.get(key('r.json')))?.etag).toBe(first.etag);
      expect((await lake.head(key('r.json')))?.etag).toBe(first.etag);
      const second = await lake.putIfMatch(key('r.json'), Buffer.from('2'), first.etag);
      expect((await lake.get(key('r.json')))?.etag).toBe(second.etag);
      await fails('precondition', lake.putIfMatch(key('r.json'), Buffer.from('3'), first.etag));
      await fails('precondition', lake.putIfMatch(key('absent.json'), Buffer.from('3'), first.etag));
      expect(await record('r.json')).toBe('2');
      expect(await record('absent.json')).toBeUndefined();
    });

    it('lists in byte order, below a prefix, after a key', async () => {
      const names = ['a', 'a-b', 'a.csv', 'a/b/c', 'a/d', 'a0', 'aB', 'b%20c/100%25.csv', 'b%20c%2F', 'Z'];
      for (const name of names) await lake.putIfAbsent(key(`l/${name === 'a' ? 'a~' : name}`), Buffer.from(name));
      const sorted = names.map((name) => key(`l/${name === 'a' ? 'a~' : name}`)).sort();
      expect(await keysOf(lake.list(key('l/')))).toEqual(sorted);
      expect(await keysOf(lake.list(key('l/a')))).toEqual(sorted.filter((name) => name.startsWith(key('l/a'))));
      for (const after of [...sorted, key('l/a/'), key('l/a/b/'), key('l/a/zzz')])
        expect(await keysOf(lake.list(key('l/'), after))).toEqual(sorted.filter((name) => name > after));
      expect(await keysOf(lake.list(key('nothing')))).toEqual([]);
      for await (const { key: found, bytes, etag } of lake.list(key('l/')))
        expect(await lake.head(found)).toMatchObject({ bytes, etag });
    });

    it('lists more than a page of 1000 keys', async () => {
      const names = Array.from({ length: 1003 }, (_, n) => key(`m/${String(n).padStart(5, '0')}`));
      for (let n = 0; n < names.length; n += 50)
        await Promise.all(names.slice(n, n + 50).map((name) => lake.putIfAbsent(name, Buffer.from('x'))));
      expect(await keysOf(lake.list(key('m/')))).toEqual(names);
    });

    it('keeps keys with percent signs as they are', async () => {
      const odd = key('%2Ea%20b%C3%B1/100%25_20250102.csv');
      await lake.create(odd, once('x'), CSV);
      expect((await lake.head(odd))?.key).toBe(odd);
      expect(await keysOf(lake.list(`${at}/`))).toEqual([odd]);
      expect(await lake.head(odd.replace('%20', '%2520'))).toBeNull();
    });

    it('tells the metadata given at creation', async () => {
      for (const [suffix, bytes] of [
        ['small', 2],
        ['large', 6 * MiB],
      ] as const) {
        await lake.create(key(suffix), once(noise(bytes)), {
          ...CSV,
          metadata: { 'Ingesta-Attempt': 'n-1', run: 'r' },
        });
        expect((await lake.head(key(suffix)))?.metadata).toEqual({ 'ingesta-attempt': 'n-1', run: 'r' });
      }
    });

    it('copies an object over what is there, whole, with metadata of its own', async () => {
      const to = key('copy%20of/x.csv');
      for (const bytes of [3, 6 * MiB]) {
        const from = { key: key(`${bytes}%20b.csv`), bytes };
        const body = noise(bytes);
        await lake.create(from.key, once(body), { ...CSV, metadata: { 'ingesta-attempt': 'a' } });
        await lake.copy(from, to, { ...CSV, metadata: { 'ingesta-source': from.key } });
        expect(await lake.head(to)).toMatchObject({ bytes, metadata: { 'ingesta-source': from.key } });
        expect(sha256(await whole(await lake.read(to)))).toBe(sha256(body));
        expect((await lake.head(from.key))?.metadata).toEqual({ 'ingesta-attempt': 'a' });
      }
      await lake.delete(key('3%20b.csv'));
      expect((await lake.head(to))?.bytes).toBe(6 * MiB);
    });

    it('copies nothing from where nothing is, nor after a signal', async () => {
      await lake.create(key('before.csv'), once('before'), CSV);
      const controller = new AbortController();
      controller.abort();
      const copying = { ...CSV, metadata: {} };
      await fails('precondition', lake.copy({ key: key('absent.csv'), bytes: 1 }, key('before.csv'), copying));
      const from = { key: key('before.csv'), bytes: 6 };
      await fails('aborted', lake.copy(from, key('x.csv'), { ...copying, signal: controller.signal }));
      expect(await record('before.csv')).toBe('before');
      expect(await lake.head(key('x.csv'))).toBeNull();
    });

    it('shows whoever reads a copy that is renewed one generation or the other, whole', async () => {
      const generations = ['a', 'b'].map((letter) => ({ key: key(`${letter}.csv`), bytes: 2 * MiB, letter }));
      for (const { key: name, bytes, letter } of generations)
        await lake.create(name, once(Buffer.alloc(bytes, letter)), CSV);
      const copying = { ...CSV, metadata: {} };
      await lake.copy(generations[0]!, key('latest.csv'), copying);
      let done = false;
      const renewing = (async () => {
        for (let n = 1; n <= 20; n += 1) await lake.copy(generations[n % 2]!, key('latest.csv'), copying);
        done = true;
      })();
      const seen = new Set<string>();
      while (!done) {
        const body = await whole(await lake.read(key('latest.csv')));
        expect(body.length).toBe(2 * MiB);
        const letter = String.fromCharCode(body[0]!);
        expect(body.equals(Buffer.alloc(2 * MiB, letter))).toBe(true);
        seen.add(letter);
      }
      await renewing;
      expect(seen.size).toBeGreaterThan(0);
    });

    it('answers null for what is absent', async () => {
      await lake.putIfAbsent(key('x.csv/below'), Buffer.from('not the object itself'));
      expect(await lake.get(key())).toBeNull();
      expect(await lake.read(key())).toBeNull();
      expect(await lake.head(key())).toBeNull();
    });

    it('deletes, also what is gone already', async () => {
      await lake.create(key(), once('x'), CSV);
      await lake.delete(key());
      await lake.delete(key());
      await lake.delete(at);
      expect(await lake.head(key())).toBeNull();
    });

    it('refuses an existing key also where a small object goes the way of a large one', async () => {
      const small = { ...CSV, inParts: true };
      const { bytes, sha256: told } = await lake.create(key(), once('first'), small);
      expect({ bytes, told }).toEqual({ bytes: 5, told: sha256(Buffer.from('first')) });
      await fails('precondition', lake.create(key(), once('second'), small));
      expect(await record('x.csv')).toBe('first');
    });

    it('stops reading when the signal says so', async () => {
      await lake.create(key(), once(noise(8 * MiB)), CSV);
      const controller = new AbortController();
      const chunks = await lake.read(key(), controller.signal);
      const reading = (async () => {
        for await (const _ of chunks!) controller.abort();
      })();
      await fails('aborted', reading);
    });

    it('can be checked, and tells where its objects are', async () => {
      await lake.check();
      expect(lake.urlOf('a/b.csv')).toBe(`${lake.url}/a/b.csv`);
    });
  });
}

/** Expects `work` to fail with a `LakeError` of `kind` that has a hint. */
export async function fails(kind: LakeFailure, work: Promise<unknown>): Promise<LakeError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'LakeError', kind, hint: expect.stringMatching(/./) });
  return error as LakeError;
}

/** MiB by which the process holds more at most while `lake` creates an object of `blocks` of 64 KiB. */
export async function growthWhileCreating(lake: Lake, blocks: number): Promise<number> {
  let peak = 0;
  async function* body() {
    for (let n = 0; n < blocks; n += 1) {
      yield Buffer.alloc(64 * 1024, 97);
      if (n % 1000 === 999) peak = Math.max(peak, heldMemory());
    }
  }
  const before = heldMemory();
  await lake.create(`growth/${randomUUID()}`, body(), CSV);
  return (peak - before) / MiB;
}

async function* once(body: string | Buffer): AsyncGenerator<Buffer> {
  yield Buffer.from(body);
}

/** Of prime length: repeated, it differs from block to block. */
const PATTERN = randomBytes(65_537);

const noise = (bytes: number): Buffer => Buffer.alloc(bytes, PATTERN);

const sha256 = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

async function whole(chunks: AsyncIterable<Uint8Array> | null): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks ?? []) all.push(chunk);
  return Buffer.concat(all);
}

async function keysOf(objects: AsyncIterable<{ key: string }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of objects) keys.push(key);
  return keys;
}
