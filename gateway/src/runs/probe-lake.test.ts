import { type Lake, LakeError } from '@ingesta/kit';
import { givenLake, keysOf } from '../testing/given';
import { probeLake } from './probe-lake';

let lake: Lake;
let remove: () => Promise<void>;
beforeEach(async () => ({ lake, remove } = await givenLake()));
afterEach(() => remove());

/** A store that says yes to every write, as some S3 clones do. */
const careless = (ignored: 'putIfAbsent' | 'putIfMatch'): Lake =>
  new Proxy(lake, {
    get: (target, method) => {
      if (method === ignored) {
        return async (key: string, body: Uint8Array) => {
          await target.delete(key);
          return target.putIfAbsent(key, body);
        };
      }
      const value = Reflect.get(target, method);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

it('takes a lake that honours conditions, and leaves nothing there', async () => {
  await probeLake(lake, 'host.example-12-ab');
  await probeLake(lake, 'host.example-12-ab');
  expect(await keysOf(lake)).toEqual([]);
});

it.each([
  ['putIfAbsent', 'If-None-Match'],
  ['putIfMatch', 'If-Match'],
] as const)('refuses one whose %s ignores its condition, and says which', async (method, header) => {
  const refusal = probeLake(careless(method), 'g');
  await expect(refusal).rejects.toMatchObject({ code: 'LAKE_DENIED', message: expect.stringContaining(`${header}:`) });
});

it('does not judge one that does not answer', async () => {
  const silent = Object.assign(Object.create(lake), {
    putIfAbsent: () => Promise.reject(new LakeError('unavailable', 'no', '')),
  });
  await expect(probeLake(silent, 'g')).rejects.toBeInstanceOf(LakeError);
});
