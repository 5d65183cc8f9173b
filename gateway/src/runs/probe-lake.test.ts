import { type Lake, LakeError } from '@ingesta/kit';
import { givenLake, keysOf, lakeWith } from '../testing/given';
import { probeLake } from './probe-lake';

let lake: Lake;
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, remove } = await givenLake()));
afterEach(() => remove());

/** A store that says yes to every write, as some S3 clones do. */
const careless = (ignored: 'putIfAbsent' | 'putIfMatch' | 'create'): Lake =>
  new Proxy(lake, {
    get: (target, method) => {
      if (method === ignored) {
        return async (key: string) => {
          await target.delete(key);
          return target.putIfAbsent(key, Buffer.from('whatever'));
        };
      }
      const value = Reflect.get(target, method);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

it('takes a lake that honours conditions, and leaves nothing there', async () => {
  expect(await probeLake(lake, 'host.example-12-ab')).toEqual({ mayDelete: true });
  await probeLake(lake, 'host.example-12-ab');
  expect(await keysOf(lake)).toEqual([]);
});

it.each([
  ['putIfAbsent', 'If-None-Match'],
  ['putIfMatch', 'If-Match'],
  ['create', 'If-None-Match on the completion of a multipart upload'],
] as const)('refuses one whose %s ignores its condition, and says which', async (method, header) => {
  const refusal = probeLake(careless(method), 'g');
  await expect(refusal).rejects.toMatchObject({ code: 'LAKE_DENIED', message: expect.stringContaining(`${header}:`) });
});

it('takes one that lets nobody delete, and says so', async () => {
  const keeping = lakeWith(lake, { delete: () => Promise.reject(new LakeError('denied', 'no', '')) });
  expect(await probeLake(keeping, 'g')).toEqual({ mayDelete: false });
  expect(await keysOf(lake)).toEqual([expect.stringMatching(/^_ingesta\/probe\/g-[0-9a-f]{8}\.json$/)]);
});

it('takes one where a moment kept it from deleting, and is not hindered later by what that left', async () => {
  const away = lakeWith(lake, { delete: () => Promise.reject(new LakeError('unavailable', 'no', '')) });
  expect(await probeLake(away, 'g')).toEqual({ mayDelete: true });
  expect(await probeLake(lake, 'g')).toEqual({ mayDelete: true });
  expect(await keysOf(lake)).toHaveLength(1);
});

it('does not judge one whose object somebody removed meanwhile', async () => {
  const emptied = lakeWith(lake, { get: async () => null });
  await expect(probeLake(emptied, 'g')).rejects.toMatchObject({ kind: 'unavailable' });
});

it('does not judge one that does not answer', async () => {
  const silent = Object.assign(Object.create(lake), {
    putIfAbsent: () => Promise.reject(new LakeError('unavailable', 'no', '')),
  });
  await expect(probeLake(silent, 'g')).rejects.toBeInstanceOf(LakeError);
});
