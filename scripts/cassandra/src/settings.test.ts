import { sourceDescriptionSchema } from '@ingesta/kit';
import description from '../source.json';
import { parseSettings } from './settings';

const GOOD = { CASSANDRA_HOST: 'db1.example.com, 10.0.0.2', CASSANDRA_KEYSPACE: 'siniestros' };

describe('the Cassandra settings', () => {
  it('are those that source.json describes, with the same defaults', () => {
    const { env } = sourceDescriptionSchema.parse(description);
    const defaults = Object.fromEntries(env.flatMap((known) => (known.default ? [[known.name, known.default]] : [])));
    expect(parseSettings({ ...GOOD, ...defaults })).toEqual(parseSettings(GOOD));
    const named = (flag: 'required' | 'secret') => env.filter((known) => known[flag]).map((known) => known.name);
    expect(named('required')).toEqual(['CASSANDRA_HOST', 'CASSANDRA_KEYSPACE']);
    expect(named('secret')).toEqual(['CASSANDRA_PASSWORD']);
  });

  it('have defaults for all but host and keyspace', () => {
    expect(parseSettings(GOOD)).toEqual({
      hosts: ['db1.example.com', '10.0.0.2'],
      port: 9042,
      user: '',
      password: '',
      keyspace: 'siniestros',
      localDc: '',
      sslMode: 'disable',
      sslCa: '',
      connectTimeout: 10_000,
      consistency: 'LOCAL_QUORUM',
      pageSize: 5000,
    });
  });

  it('tell every problem at once, without the values', () => {
    const env = {
      CASSANDRA_PORT: '9o42',
      CASSANDRA_PASSWORD: 's3cret',
      CASSANDRA_SSL_MODE: 'yes',
      CASSANDRA_CONSISTENCY: 'SERIAL',
      CASSANDRA_PAGE_SIZE: '0',
    };
    const problems = [
      'CASSANDRA_HOST is not set',
      'CASSANDRA_PORT is no',
      'CASSANDRA_KEYSPACE is not set',
      'CASSANDRA_SSL_MODE is none',
      'CASSANDRA_CONSISTENCY is none',
      'CASSANDRA_PAGE_SIZE is no',
    ];
    for (const problem of problems) expect(() => parseSettings(env)).toThrow(problem);
    expect(() => parseSettings(env)).not.toThrow(/s3cret|9o42|SERIAL/);
    expect(() => parseSettings({ ...GOOD, CASSANDRA_HOST: ' , ' })).toThrow('names no host');
    expect(() => parseSettings({ ...GOOD, CASSANDRA_KEYSPACE: 'system_schema' })).toThrow('CASSANDRA_KEYSPACE');
  });
});
