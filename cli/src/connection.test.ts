import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionOf } from './connection';

const NONE = { url: null, key: null, keyFile: null };

it('is the gateway of this machine, without a key, unless told otherwise', () => {
  expect(connectionOf(NONE, {})).toEqual({ url: 'http://127.0.0.1:8000', key: null, warning: null });
});

it('takes arguments before the environment, and a key from a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingesta-key-'));
  try {
    const file = join(folder, 'key');
    writeFileSync(file, 'ing_from_file\n');
    const env = { INGESTA_URL: 'https://env.example/base/', INGESTA_API_KEY: 'ing_env', INGESTA_API_KEY_FILE: file };
    expect(connectionOf(NONE, env)).toMatchObject({ url: 'https://env.example/base', key: 'ing_env' });
    expect(connectionOf(NONE, { ...env, INGESTA_API_KEY: '' }).key).toBe('ing_from_file');
    expect(connectionOf({ ...NONE, keyFile: file }, env).key).toBe('ing_from_file');
    expect(connectionOf({ url: 'https://arg.example', key: 'ing_arg', keyFile: file }, env)).toMatchObject({
      url: 'https://arg.example',
      key: 'ing_arg',
    });
    expect(() => connectionOf({ ...NONE, keyFile: join(folder, 'absent') }, env)).toThrow('cannot be read');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it.each([
  ['http://gateway.example', true],
  ['https://gateway.example', false],
  ['http://127.1.2.3:8000', false],
  ['http://localhost', false],
  ['http://[::1]:8000', false],
])('warns of a key that travels in the open: %s %s', (url, isOpen) => {
  expect(connectionOf({ ...NONE, url, key: 'ing_x' }, {}).warning !== null).toBe(isOpen);
  expect(connectionOf({ ...NONE, url }, {}).warning).toBeNull();
});

it.each(['gateway:8000', 'ftp://x', 'http://x/?a=b', 'nonsense', 'http://u:canary@x'])('refuses the URL %s', (url) => {
  const problem = (() => {
    try {
      return connectionOf({ ...NONE, url }, {}).url;
    } catch (error) {
      return error as Error;
    }
  })();
  expect(problem).toMatchObject({ name: 'UsageError', message: expect.not.stringContaining('canary') });
});

it('refuses a key that could not stand in a header', () => {
  expect(() => connectionOf({ ...NONE, key: 'a\r\nb' }, {})).toThrow('visible ASCII');
});
