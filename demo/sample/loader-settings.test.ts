import { parseLoaderSettings } from './loader-settings';

const env = {
  ...{ POSTGRES_HOST: 'pg', POSTGRES_USER: 'u', POSTGRES_PASSWORD: 'p', POSTGRES_DATABASE: 'seguros' },
  ...{ MYSQL_HOST: 'my', MYSQL_USER: 'u', MYSQL_PASSWORD: 'p', MYSQL_DATABASE: 'seguros' },
};

describe('the settings of the loader', () => {
  it('come from the environment, with defaults', () => {
    const settings = parseLoaderSettings({ ...env, MYSQL_PORT: '3307', SCALE: '0.5' });
    expect(settings).toMatchObject({ scale: 0.5, waitSeconds: 60, postgresql: { port: 5432, database: 'seguros' } });
    expect(settings.mysql).toEqual({ host: 'my', port: 3307, user: 'u', password: 'p', database: 'seguros' });
    expect(parseLoaderSettings({ ...env, POSTGRES_DB: 'otra' }).postgresql.database).toBe('otra');
  });

  it('name Cassandra only where there is one', () => {
    expect(parseLoaderSettings(env).cassandra).toBeNull();
    const given = { CASSANDRA_HOST: 'c', CASSANDRA_USER: 'u', CASSANDRA_PASSWORD: 'p', CASSANDRA_KEYSPACE: 'seguros' };
    expect(parseLoaderSettings({ ...env, ...given }).cassandra).toEqual({
      ...{ host: 'c', port: 9042, user: 'u', password: 'p', database: 'seguros' },
    });
  });

  it('are refused with every problem at once', () => {
    expect(() =>
      parseLoaderSettings({ ...env, MYSQL_HOST: '', POSTGRES_PORT: '99999', SCALE: 'x', SEED: '1.5' }),
    ).toThrow(
      'POSTGRES_PORT must be a port, not "99999"; MYSQL_HOST is not set; ' +
        'SCALE must be a positive number, not "x"; SEED must be an integer, not "1.5"',
    );
  });
});
