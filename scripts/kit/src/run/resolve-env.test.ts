import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourceDescriptionSchema } from '../contract/source-description';
import { readSetting, resolveEnv } from './resolve-env';

const description = sourceDescriptionSchema.parse({
  title: 'Test',
  env_prefix: 'DB_',
  command: ['node'],
  env: [
    { name: 'DB_HOST', description: 'Host.', required: true, unless: 'DB_URI' },
    { name: 'DB_PORT', description: 'Port.', default: '5432', unless: 'DB_URI' },
    { name: 'DB_NAME', description: 'Database.', required: true, aliases: ['DB_DATABASE', 'DB_DB'], unless: 'DB_URI' },
    { name: 'DB_PASSWORD', description: 'Password.', secret: true },
    { name: 'DB_URI', description: 'All in one.', secret: true },
    { name: 'DB_OTHER', description: 'Needless never.', required: true, default: 'x', unless: 'DB_PORT' },
  ],
});

describe('resolveEnv', () => {
  const folder = mkdtempSync(join(tmpdir(), 'resolve-env-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const missing = join(folder, 'missing');
  afterAll(() => rmSync(folder, { recursive: true }));

  const resolve = (env: Record<string, string | undefined>, prefix?: string) => resolveEnv(description, env, prefix);
  const DEFAULTS = { DB_PORT: '5432', DB_OTHER: 'x' };

  it('takes values, applies defaults, leaves the rest out', () => {
    expect(resolve({ DB_HOST: 'h', DB_NAME: 'n', DB_PORT: '1', FOREIGN: 'x' })).toEqual({
      values: { ...DEFAULTS, DB_HOST: 'h', DB_NAME: 'n', DB_PORT: '1' },
      problems: [],
    });
  });

  it('puts a value under its main name, whichever it was given under; the first name wins', () => {
    expect(resolve({ DB_HOST: 'h', DB_DB: 'c' }).values.DB_NAME).toBe('c');
    expect(resolve({ DB_HOST: 'h', DB_DB: 'c', DB_DATABASE: 'b' }).values.DB_NAME).toBe('b');
    expect(resolve({ DB_HOST: 'h', DB_DB: 'c', DB_DATABASE: 'b', DB_NAME: 'a' }).values.DB_NAME).toBe('a');
    expect(resolve({ DB_HOST: 'h', DB_NAME: '', DB_DATABASE: 'b' }).values.DB_NAME).toBe('b');
  });

  it('takes an empty value for none', () => {
    const { values, problems } = resolve({ DB_HOST: '', DB_NAME: undefined, DB_PORT: '', DB_PASSWORD: '' });
    expect(values).toEqual(DEFAULTS);
    expect(problems).toEqual(['DB_HOST is not set (Host.)', 'DB_NAME or DB_DATABASE or DB_DB is not set (Database.)']);
  });

  it('misses nothing that another variable makes needless', () => {
    expect(resolve({ DB_URI: 'db://h' })).toEqual({ values: { ...DEFAULTS, DB_URI: 'db://h' }, problems: [] });
    expect(resolve({ DB_URI: '' }).problems).toHaveLength(2);
  });

  it('reads files, without their last line end; a value wins over a file', () => {
    const env = {
      DB_HOST: 'h',
      DB_DATABASE_FILE: file('name', 'ventas\r\n'),
      DB_PASSWORD_FILE: file('pw', ' a\nb\n\n'),
    };
    expect(resolve(env).values).toMatchObject({ DB_NAME: 'ventas', DB_PASSWORD: ' a\nb\n' });
    expect(resolve({ ...env, DB_PASSWORD: 'plain' }).values.DB_PASSWORD).toBe('plain');
    expect(resolve({ ...env, DB_PASSWORD: '' }).values.DB_PASSWORD).toBe(' a\nb\n');
  });

  it('takes an empty file, and an empty path, for none', () => {
    expect(
      resolve({ DB_HOST_FILE: file('empty', '\n'), DB_NAME_FILE: '', DB_PASSWORD_FILE: file('none', '') }),
    ).toEqual({
      values: DEFAULTS,
      problems: ['DB_HOST is not set (Host.)', 'DB_NAME or DB_DATABASE or DB_DB is not set (Database.)'],
    });
  });

  it('says once that a file cannot be read, and takes no default or alias instead', () => {
    const env = { DB_HOST_FILE: missing, DB_PORT_FILE: folder, DB_NAME_FILE: missing, DB_DB: 'c' };
    expect(resolve(env)).toEqual({
      values: { DB_OTHER: 'x' },
      problems: [
        `DB_HOST_FILE: cannot read ${missing} (ENOENT)`,
        `DB_PORT_FILE: cannot read ${folder} (EISDIR)`,
        `DB_NAME_FILE: cannot read ${missing} (ENOENT)`,
      ],
    });
  });

  it("looks under a connection's prefix, and only there", () => {
    const env = { DB_HOST: 'other', VENTAS_DB_DB: 'v', VENTAS_DB_PASSWORD_FILE: file('ventas', 'pw') };
    expect(resolve(env, 'VENTAS_')).toEqual({
      values: { ...DEFAULTS, DB_NAME: 'v', DB_PASSWORD: 'pw' },
      problems: ['VENTAS_DB_HOST is not set (Host.)'],
    });
  });

  describe('in production', () => {
    const production = (env: Record<string, string>, prefix?: string) =>
      resolve({ ENVIRONMENT: 'production', ...env }, prefix);
    const local = { DB_HOST: 'localhost', DB_NAME: 'dev', DB_PORT: '3307', DB_PASSWORD: 'dev' };

    it('takes the remote names over the plain ones, and the plain ones where there is no other', () => {
      expect(production({ ...local, DB_HOST_REMOTE: 'db.internal', DB_PASSWORD_REMOTE: '' }).values).toEqual({
        ...DEFAULTS,
        ...local,
        DB_HOST: 'db.internal',
      });
      expect(production(local)).toEqual(resolve(local));
    });

    it('looks at no remote name elsewhere', () => {
      const remote = { DB_HOST_REMOTE: 'db.internal', DB_PORT_REMOTE: '1' };
      expect(resolve({ ...local, ...remote })).toEqual(resolve(local));
      expect(resolve({ ...local, ...remote, ENVIRONMENT: 'local' })).toEqual(resolve(local));
    });

    it('reads them under any of their names, from files too, over every plain one', () => {
      const env = { ...local, DB_DB_REMOTE: 'live', DB_PASSWORD_REMOTE_FILE: file('remote', 'live\n') };
      expect(production(env).values).toMatchObject({ DB_NAME: 'live', DB_PASSWORD: 'live' });
    });

    it('says that a remote file cannot be read, and takes nothing plain instead', () => {
      const { values, problems } = production({ ...local, DB_PASSWORD_REMOTE_FILE: missing });
      expect(values.DB_PASSWORD).toBeUndefined();
      expect(problems).toEqual([`DB_PASSWORD_REMOTE_FILE: cannot read ${missing} (ENOENT)`]);
    });

    it('lets no plain URI replace a remote part; a remote URI does', () => {
      const uris = { ...local, DB_URI: 'db://dev', DB_HOST_REMOTE: 'db.internal' };
      expect(production(uris).values.DB_URI).toBeUndefined();
      expect(production({ ...uris, DB_URI_REMOTE: 'db://live' }).values.DB_URI).toBe('db://live');
    });

    it("knows them under a connection's prefix", () => {
      const env = { DB_HOST_REMOTE: 'other', VENTAS_DB_HOST_REMOTE: 'v', VENTAS_DB_NAME: 'n' };
      expect(production(env, 'VENTAS_').values).toMatchObject({ DB_HOST: 'v', DB_NAME: 'n' });
    });
  });
});

it('readSetting tells nothing of what is not there', () => {
  expect(readSetting({}, 'X')).toEqual({});
});
