import { createHash } from 'node:crypto';
import { parseApiKeys } from '../../../gateway/src/security/api-keys';
import type { Context } from '../context';
import { parseCommandLine } from '../options';
import { keys } from './keys';

async function made(line: string): Promise<string[]> {
  const { names, options } = parseCommandLine(['keys', ...line.split(' ')]);
  const lines: string[] = [];
  await keys({ options, out: (text: string) => lines.push(text) } as unknown as Context, names);
  return lines;
}

it('makes a key of 256 bits, and an entry with its hash that the gateway takes', async () => {
  const [shown = ''] = await made('new nightly --grant run@mysql --grant read --json');
  const { name, key, entry } = JSON.parse(shown);
  expect(name).toBe('nightly');
  expect(key).toMatch(/^ing_[A-Za-z0-9_-]{43}$/);
  expect(entry).not.toContain(key);
  const problems: string[] = [];
  const [parsed] = parseApiKeys(entry, problems);
  expect(problems).toEqual([]);
  expect(parsed).toEqual({
    name: 'nightly',
    digest: createHash('sha256').update(key).digest(),
    grants: [
      { verb: 'run', source: 'mysql' },
      { verb: 'read', source: '*' },
    ],
  });
});

it('never makes the same twice', async () => {
  expect(await made('new a --grant *')).not.toEqual(await made('new a --grant *'));
});

it.each(['new', 'old a --grant read', 'new a', 'new a --grant write', 'new a --grant run@../x', 'new A --grant read'])(
  'refuses keys %s',
  async (line) => {
    await expect(made(line)).rejects.toMatchObject({ name: 'UsageError' });
  },
);
