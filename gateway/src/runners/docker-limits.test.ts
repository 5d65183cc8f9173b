import { mustKeepLimits } from './docker-limits';

const engine = (info: object) => ({ info: async () => info });
const refusal = { code: 'RUNNER_UNAVAILABLE', hint: expect.stringContaining('cgroups v2') };

describe('an engine', () => {
  it.each([
    ['Podman', { Rootless: true, CgroupVersion: '1' }],
    ['Docker', { SecurityOptions: ['name=seccomp,profile=default', 'name=rootless'], CgroupVersion: '1' }],
  ])('that is rootless on cgroups v1 is refused, because it keeps no limit: %s', async (_, info) => {
    await expect(mustKeepLimits(engine(info))).rejects.toMatchObject(refusal);
  });

  it.each([
    ['rootless on cgroups v2', { Rootless: true, CgroupVersion: '2' }],
    ['as root on cgroups v1', { Rootless: false, SecurityOptions: ['name=seccomp'], CgroupVersion: '1' }],
    ['older than such descriptions', {}],
  ])('that runs %s is taken', async (_, info) => {
    await mustKeepLimits(engine(info));
  });

  it('that does not describe itself is taken: a proxy before the socket may forbid that', async () => {
    await mustKeepLimits({ info: () => Promise.reject(Object.assign(new Error('forbidden'), { statusCode: 403 })) });
  });

  it('that does not answer is no engine', async () => {
    const gone = Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' });
    await expect(mustKeepLimits({ info: () => Promise.reject(gone) })).rejects.toMatchObject({
      code: 'RUNNER_UNAVAILABLE',
    });
  });
});
