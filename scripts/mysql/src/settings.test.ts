import { sourceDescriptionSchema } from '@ingesta/kit';
import description from '../source.json';
import { parseSettings } from './settings';

const GOOD = { MYSQL_HOST: 'db.example.com', MYSQL_USER: 'reader', MYSQL_PASSWORD: 's3cret', MYSQL_DATABASE: 'ventas' };

describe('the MySQL settings', () => {
  it('are those that source.json describes, with the same defaults', () => {
    const { env } = sourceDescriptionSchema.parse(description);
    const defaults = Object.fromEntries(env.flatMap((known) => (known.default ? [[known.name, known.default]] : [])));
    expect(parseSettings({ ...GOOD, ...defaults })).toEqual(parseSettings(GOOD));
    expect(env.filter((known) => known.required).map((known) => known.name)).toEqual([
      'MYSQL_HOST',
      'MYSQL_USER',
      'MYSQL_DATABASE',
    ]);
    expect(env.filter((known) => known.secret).map((known) => known.name)).toEqual(['MYSQL_PASSWORD']);
  });

  it('have defaults for all but host, user and database', () => {
    expect(parseSettings(GOOD)).toEqual({
      host: 'db.example.com',
      port: 3306,
      user: 'reader',
      password: 's3cret',
      database: 'ventas',
      sslMode: 'disable',
      sslCa: '',
      connectTimeout: 10_000,
    });
  });

  it('tell every problem at once, without the values', () => {
    const env = {
      MYSQL_PORT: '33o6',
      MYSQL_USER: 'u',
      MYSQL_PASSWORD: 's3cret',
      MYSQL_SSL_MODE: 'yes',
      MYSQL_CONNECT_TIMEOUT: '0',
    };
    expect(() => parseSettings(env)).toThrow(
      expect.objectContaining({
        code: 'SOURCE_CONFIG',
        message: expect.stringMatching(
          /^MYSQL_HOST is not set; MYSQL_PORT .*; MYSQL_DATABASE is not set; MYSQL_SSL_MODE .*; MYSQL_CONNECT_TIMEOUT [^;]*$/,
        ),
      }),
    );
    expect(() => parseSettings(env)).not.toThrow(/s3cret|33o6/);
  });

  it('refuse to compare a certificate with an address', () => {
    expect(() => parseSettings({ ...GOOD, MYSQL_HOST: '10.0.0.1', MYSQL_SSL_MODE: 'verify-full' })).toThrow(
      /verify-ca/,
    );
  });
});
