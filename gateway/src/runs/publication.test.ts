import { type Job, type Lake, LakeError, pointerKey, runKeys } from '@ingesta/kit';
import fc from 'fast-check';
import { exportTables, givenJob, givenLake, keysOf } from '../testing/given';
import { fence } from './fence';
import { type Current, composeManifest, isPublished, publish, readCurrent, UnclearPublication } from './publication';

let lake: Lake;
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, remove } = await givenLake()));
afterEach(() => remove());

/** A run that exported `tables`; its number makes id and timestamp. */
async function exported(number: number, tables: string[], inLake = lake) {
  const timestamp = `20250102_${String(number).padStart(6, '0')}`;
  const job: Job = givenJob({ run_id: `run-${number}`, nonce: `nonce-${number}`, timestamp });
  return exportTables(inLake, job, Object.fromEntries(tables.map((table) => [table, `id\n${number}\n`])));
}

interface Run {
  number: number;
  tables: string[];
  base?: Current;
  partial?: boolean;
  settings?: { add?: string; allow?: string };
  through?: Lake;
}
async function run({ number, tables, base, partial = false, settings = {}, through = lake }: Run) {
  const result = await exported(number, tables);
  return publish(through, { result, imageDigest: 'sha256:1', base: base ?? (await nextFence()), partial, settings });
}

/** What the next holder of the lease does first. */
const nextFence = async () => fence(lake, 'mysql', ((await readCurrent(lake, 'mysql'))?.pointer.epoch ?? 0) + 1);

/** The port with one method changed. */
const changed = (change: Partial<Lake>): Lake =>
  new Proxy(lake, {
    get: (target, name) => {
      const value = Reflect.get(change, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
/** A lake that writes the pointer and then, after `meanwhile`, loses the answer. */
function lossy(meanwhile: () => unknown) {
  let writes = 0;
  const putIfMatch: Lake['putIfMatch'] = async (key, body, etag) => {
    const answer = await lake.putIfMatch(key, body, etag);
    if (key !== pointerKey('mysql')) return answer;
    writes += 1;
    await meanwhile();
    throw unavailable();
  };
  return { through: changed({ putIfMatch }), writes: () => writes };
}
const unavailable = () => new LakeError('unavailable', 'the answer was lost', '');

describe('publish', () => {
  it('makes the first run visible', async () => {
    expect(await readCurrent(lake, 'mysql')).toBeNull();
    const manifest = await run({ number: 1, tables: ['users'] });
    const current = await readCurrent(lake, 'mysql');
    expect(current).toMatchObject({ pointer: { epoch: 1, manifest: runKeys('mysql', 'run-1').manifest }, manifest });
    expect(manifest).toMatchObject({
      parent: null,
      consistency: 'snapshot',
      image_digest: 'sha256:1',
      run_id: 'run-1',
    });
    expect(manifest.tables.users).toMatchObject({ key: 'mysql/users_20250102_000001.csv', rows: 1, run_id: 'run-1' });
  });

  it('replaces it by the next, which names it as its parent', async () => {
    await run({ number: 1, tables: ['users', 'orders'] });
    const next = await run({ number: 2, tables: ['users'] });
    expect(next.parent).toBe(runKeys('mysql', 'run-1').manifest);
    expect(Object.keys(next.tables)).toEqual(['users']);
    expect((await readCurrent(lake, 'mysql'))?.pointer.epoch).toBe(2);
    // What was published stays.
    expect(await lake.head('mysql/orders_20250102_000001.csv')).not.toBeNull();
  });

  it.each([false, true])('gives up when a later holder has fenced meanwhile (first ever: %s)', async (first) => {
    if (!first) await run({ number: 1, tables: ['users'] });
    const base = await nextFence();
    await run({ number: 2, tables: ['users'] });
    await expect(run({ number: 3, tables: ['users'], base })).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe('run-2');
  });
});

describe('the answer to the write of the pointer', () => {
  it.each([false, true])('may be lost: the run is published once (first ever: %s)', async (first) => {
    if (!first) await run({ number: 1, tables: ['users'] });
    const { through, writes } = lossy(() => true);
    await run({ number: 2, tables: ['users'], through });
    expect(writes()).toBe(1);
    expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe('run-2');
  });

  it('may be lost, and a successor may have fenced, or even published, before anybody looks', async () => {
    await run({ number: 1, tables: ['users'] });
    for (const [number, published] of [
      [2, false],
      [4, true],
    ] as const) {
      const { through } = lossy(async () => {
        if (published) await run({ number: number + 1, tables: ['users'] });
        else await nextFence();
      });
      await run({ number, tables: ['users'], through });
      expect(await isPublished(lake, 'mysql', runKeys('mysql', `run-${number}`).manifest)).toBe(true);
    }
    expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe('run-5');
  });

  it('may be lost together with the write itself, and a successor fences: then it was not published', async () => {
    await run({ number: 1, tables: ['users'] });
    const through = changed({
      putIfMatch: async () => {
        await nextFence();
        throw unavailable();
      },
    });
    await expect(run({ number: 2, tables: ['users'], through })).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await isPublished(lake, 'mysql', runKeys('mysql', 'run-2').manifest)).toBe(false);
  });

  it('may be lost together with the next reads', async () => {
    await run({ number: 1, tables: ['users'] });
    let reads = 0;
    const through = changed({
      putIfMatch: async (key, body, etag) => {
        await lake.putIfMatch(key, body, etag).catch(() => undefined);
        throw unavailable();
      },
      get: async (key) => {
        reads += 1;
        if (reads < 3) throw unavailable();
        return lake.get(key);
      },
    });
    await run({ number: 2, tables: ['users'], through });
    expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe('run-2');
  });

  it('may say "try again": then it is tried again', async () => {
    await run({ number: 1, tables: ['users'] });
    let writes = 0;
    const through = changed({
      putIfMatch: async (key, body, etag) => {
        writes += 1;
        if (writes === 1) throw unavailable();
        return lake.putIfMatch(key, body, etag);
      },
    });
    await run({ number: 2, tables: ['users'], through });
    expect((await readCurrent(lake, 'mysql'))?.pointer.epoch).toBe(2);
    expect(writes).toBe(2);
  });

  it('may never come: the failure is told, and the old snapshot stays', async () => {
    await run({ number: 1, tables: ['users'] });
    const through = changed({ putIfMatch: () => Promise.reject(unavailable()) });
    await expect(run({ number: 2, tables: ['users'], through })).rejects.toThrow(UnclearPublication);
    expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe('run-1');
  });

  it('may be lost, and the next try a refusal: nobody may call that failed', async () => {
    await run({ number: 1, tables: ['users'] });
    let writes = 0;
    const through = changed({
      putIfMatch: async (key, body, etag) => {
        writes += 1;
        if (writes === 1) await lake.putIfMatch(key, body, etag);
        throw writes === 1 ? unavailable() : new LakeError('denied', 'the token has expired', '');
      },
      get: () => Promise.reject(unavailable()),
    });
    await expect(run({ number: 2, tables: ['users'], through })).rejects.toThrow(UnclearPublication);
    expect((await readCurrent(lake, 'mysql'))?.manifest?.run_id).toBe('run-2');
  });

  it('may be a refusal: that is told at once', async () => {
    const denied = new LakeError('denied', 'no', '');
    const through = changed({
      putIfMatch: () => Promise.reject(denied),
    });
    await expect(run({ number: 1, tables: ['users'], through })).rejects.toBe(denied);
  });
});

describe('a run over some tables', () => {
  it('carries the others over, each with its own run', async () => {
    await run({ number: 1, tables: ['users', 'orders'] });
    const manifest = await run({ number: 2, tables: ['users'], partial: true });
    expect(manifest.consistency).toBe('mixed');
    expect(manifest.tables.orders).toMatchObject({ run_id: 'run-1', consistency: 'snapshot' });
    expect(manifest.tables.users).toMatchObject({ run_id: 'run-2', consistency: 'snapshot' });
  });

  it('is not mixed when it covers all there was', async () => {
    await run({ number: 1, tables: ['users'] });
    expect((await run({ number: 2, tables: ['users'], partial: true })).consistency).toBe('snapshot');
  });

  it('leaves behind what today’s rules would not let out', async () => {
    await run({ number: 1, tables: ['users', 'orders', 'clients'] });
    const settings = { add: 'orders.id' };
    const manifest = await run({ number: 2, tables: ['users'], partial: true, settings });
    expect(Object.keys(manifest.tables).sort()).toEqual(['clients', 'users']);
  });
});

describe('JSON columns of tables that are carried over', () => {
  const json = { name: 'extra', source_type: 'json', logical_type: 'json', nullable: true } as const;
  const carried = async (add?: string) => {
    const result = await exportTables(lake, givenJob(), { users: 'id\n' });
    const base: Current = {
      pointer: { epoch: 1, manifest: null, updated_at: result.taken_at },
      etag: 'e',
      manifest: null,
    };
    const before = { result, imageDigest: null, base, partial: false, settings: {} };
    result.result.users!.columns.push(json);
    const manifest = composeManifest(before);
    const after: Current = { pointer: { epoch: 2, manifest: 'x', updated_at: manifest.taken_at }, etag: 'e', manifest };
    const settings = add ? { add } : {};
    return composeManifest({ ...before, result: { ...result, result: {} }, base: after, partial: true, settings })
      .tables;
  };

  it('stay under the same rules', async () => expect(Object.keys(await carried())).toEqual(['users']));

  it('go when the rules changed: what stands inside them cannot be seen', async () =>
    expect(Object.keys(await carried('rfc'))).toEqual([]));
});

describe('readCurrent', () => {
  it('knows a pointer that names no manifest yet', async () => {
    const pointer = { epoch: 1, manifest: null, updated_at: '2025-01-02T15:30:45.000Z' };
    await lake.putIfAbsent(pointerKey('mysql'), Buffer.from(JSON.stringify(pointer)));
    expect(await readCurrent(lake, 'mysql')).toMatchObject({ pointer, manifest: null });
    await run({ number: 1, tables: ['users'] });
    expect((await readCurrent(lake, 'mysql'))?.pointer.epoch).toBe(2);
  });

  it.each(['{}', 'x', '{"epoch":1,"manifest":"absent","updated_at":"2025-01-02T15:30:45.000Z"}'])(
    'fails loudly on the pointer %s',
    async (text) => {
      await lake.putIfAbsent(pointerKey('mysql'), Buffer.from(text));
      await expect(readCurrent(lake, 'mysql')).rejects.toThrow();
    },
  );
});

it('whatever runs are published, in whatever mix, the pointer leads to objects that exist', async () => {
  const step = fc.record({
    tables: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }),
    partial: fc.boolean(),
    stale: fc.boolean(),
    outage: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      await Promise.all((await keysOf(lake)).map((key) => lake.delete(key)));
      let old: Current | undefined;
      let epoch = 0;
      for (const [i, { tables, partial, stale, outage }] of steps.entries()) {
        const own = await nextFence();
        const base = stale && old ? old : own;
        old = own;
        const denied = new LakeError('denied', 'no', '');
        const through = outage ? changed({ putIfAbsent: () => Promise.reject(denied) }) : lake;
        const published = await run({ number: i + 1, tables, partial, base, through }).catch(() => null);
        expect(published !== null).toBe(base === own && !outage);

        const current = await readCurrent(lake, 'mysql');
        expect(current?.pointer.epoch ?? 0).toBeGreaterThanOrEqual(epoch);
        epoch = current?.pointer.epoch ?? 0;
        for (const entry of Object.values(current?.manifest?.tables ?? {})) {
          expect(await lake.head(entry.key)).toMatchObject({ bytes: entry.bytes });
        }
      }
    }),
    { numRuns: 30 },
  );
});
