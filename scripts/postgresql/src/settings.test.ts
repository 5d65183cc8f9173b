import { sourceDescriptionSchema } from '@ingesta/kit';
import description from '../source.json';
import { parseSettings } from './settings';

const parts = { POSTGRES_HOST: 'db', POSTGRES_USER: 'ana', POSTGRES_PASSWORD: 'x', POSTGRES_DB: 'ventas' };

describe('source.json', () => {
  it('is a valid description', () => {
    expect(sourceDescriptionSchema.parse(description).title).toBe('PostgreSQL');
  });
});

describe('parseSettings', () => {
  it('reads the parts', () => {
    expect(parseSettings({ ...parts, POSTGRES_CONNECT_TIMEOUT: '3' })).toEqual({
      host: 'db',
      port: 5432,
      user: 'ana',
      password: 'x',
      database: 'ventas',
      sslMode: 'disable',
      sslCa: '',
      options: '',
      connectTimeout: 3000,
      statementTimeout: 0,
    });
  });

  it('prefers the URI and decodes it', () => {
    const uri = 'postgresql://an%40a:p%2Fw%20@[::1]:5433/mis%20datos?sslmode=verify-full&sslrootcert=/ca.pem';
    expect(parseSettings({ ...parts, POSTGRES_URI: uri, POSTGRES_SSL_MODE: 'disable' })).toMatchObject({
      host: '::1',
      port: 5433,
      user: 'an@a',
      password: 'p/w ',
      database: 'mis datos',
      sslMode: 'verify-full',
      sslCa: '/ca.pem',
    });
  });

  it('falls back to the database named like the user, and to POSTGRES_SSL_MODE, when the URI is silent', () => {
    expect(parseSettings({ POSTGRES_URI: 'postgres://ana@db', POSTGRES_SSL_MODE: 'require' })).toMatchObject({
      database: 'ana',
      port: 5432,
      sslMode: 'require',
    });
  });

  it('lists every problem at once', () => {
    const env = { ...parts, POSTGRES_PORT: '70000', POSTGRES_SSL_MODE: 'prefer', POSTGRES_STATEMENT_TIMEOUT: '1h' };
    expect(() => parseSettings(env)).toThrow(/POSTGRES_PORT.*POSTGRES_SSL_MODE|POSTGRES_SSL_MODE.*POSTGRES_PORT/);
    expect(() => parseSettings(env)).toThrow(/POSTGRES_STATEMENT_TIMEOUT/);
  });

  it.each([
    'postgresql://ana:s3cr3t/x@db/ventas',
    'mysql://ana:s3cr3t@db/ventas',
    's3cr3t',
    'postgres://a:s3cr3t@h:99999/x',
  ])('never shows the value of a malformed URI (%#)', (uri) => {
    let message = '';
    try {
      parseSettings({ POSTGRES_URI: uri });
    } catch (error) {
      message = String((error as Error).message);
    }
    expect(message).toMatch(/POSTGRES_URI/);
    expect(message).not.toMatch(/s3cr3t/);
  });
});
