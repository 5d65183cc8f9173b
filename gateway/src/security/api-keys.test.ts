import { createHash } from 'node:crypto';
import { ApiKeys, parseApiKeys } from './api-keys';
import { may } from './principal';

const hash = (key: string) => createHash('sha256').update(key).digest('hex');

it('knows each key by its hash, and what it may', () => {
  const problems: string[] = [];
  const keys = new ApiKeys(
    parseApiKeys(
      `nightly:${hash('ing_a')}:run@mysql+read, grafana:${hash('ing_b')}:read\nadmin:${hash('ing_c')}:*`,
      problems,
    ),
  );
  expect(problems).toEqual([]);
  const nightly = keys.find('ing_a')!;
  expect(nightly.name).toBe('key:nightly');
  expect([may(nightly, 'run', 'mysql'), may(nightly, 'run', 'postgresql'), may(nightly, 'run', '*')]).toEqual([
    true,
    false,
    false,
  ]);
  expect([may(nightly, 'read', 'postgresql'), may(nightly, 'cancel', null)]).toEqual([true, false]);
  expect(may(keys.find('ing_b')!, 'read', '*')).toBe(true);
  expect(may(keys.find('ing_c')!, 'cancel', 'anything')).toBe(true);
  for (const wrong of ['', 'ing_', 'ing_A', 'ing_a ', hash('ing_a')]) expect(keys.find(wrong)).toBeNull();
});

it('takes two keys of one name while one replaces the other', () => {
  const keys = new ApiKeys(parseApiKeys(`nightly:${hash('ing_old')}:*,nightly:${hash('ing_new')}:read`, []));
  expect([keys.find('ing_old')!.name, keys.find('ing_new')!.name]).toEqual(['key:nightly', 'key:nightly']);
  expect(may(keys.find('ing_new')!, 'run', null)).toBe(false);
});

it.each([
  'nightly:ing_canary:read',
  `nightly:${hash('x')}`,
  `nightly:${hash('x')}:`,
  `nightly:${hash('x')}:write`,
  `nightly:${hash('x')}:run@../mysql`,
  `nightly:${hash('x')}:read+`,
  `Nightly:${hash('x')}:read`,
  `nightly:${hash('x').toUpperCase()}:read`,
])('refuses an entry like %s, and does not repeat it', (entry) => {
  const problems: string[] = [];
  expect(parseApiKeys(entry, problems)).toEqual([]);
  expect(problems).toEqual([expect.stringContaining('API_KEYS: entry 1 must be like')]);
  expect(problems[0]).not.toContain('canary');
});
