import { sourceDescriptionSchema } from '@ingesta/kit';
import description from '../source.json';
import { parseSettings } from './settings';

const GOOD = { FILES_PATH: '/data' };
const FORMAT = { delimiter: null, encoding: 'auto', header: 'auto', nullText: '' };

describe('the settings of files', () => {
  it('are those that source.json describes, with the same defaults', () => {
    const { env } = sourceDescriptionSchema.parse(description);
    const defaults = Object.fromEntries(env.flatMap((known) => (known.default ? [[known.name, known.default]] : [])));
    expect(parseSettings({ ...GOOD, ...defaults })).toEqual(parseSettings(GOOD));
    expect(env.filter((known) => known.required).map(({ name, unless }) => [name, unless])).toEqual([
      ['FILES_PATH', 'FILES_LAKE_PREFIX'],
    ]);
    expect(env.filter((known) => known.secret).map((known) => known.name)).toEqual([
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
    ]);
  });

  it('have defaults for all but the place', () => {
    expect(parseSettings(GOOD)).toEqual({ place: { folder: '/data' }, format: FORMAT });
    expect(parseSettings({ FILES_LAKE_PREFIX: '/entregas/ventas/', LAKE_URL: 'file:///lake' })).toEqual({
      place: { lakePrefix: 'entregas/ventas' },
      format: FORMAT,
    });
  });

  it.each([
    ['comma', ','],
    ['TAB', '\t'],
    ['\t', '\t'],
    ['\\t', '\t'],
    ['^', '^'],
    ['auto', null],
  ])('take %j for a delimiter', (value, delimiter) => {
    expect(parseSettings({ ...GOOD, FILES_DELIMITER: value }).format.delimiter).toBe(delimiter);
  });

  it('tell every problem at once', () => {
    const env = { FILES_DELIMITER: '::', FILES_ENCODING: 'ebcdic', FILES_HEADER: 'maybe' };
    expect(() => parseSettings(env)).toThrow(
      expect.objectContaining({
        code: 'SOURCE_CONFIG',
        message: expect.stringMatching(/^FILES_PATH .*; FILES_DELIMITER .*; FILES_ENCODING .*; FILES_HEADER [^;]*$/),
      }),
    );
  });

  it.each(['_ingesta/runs', 'a//b', '../up', '.lake'])('refuse %s as a place in the lake', (prefix) => {
    const env = { FILES_LAKE_PREFIX: prefix, LAKE_URL: 'file:///lake' };
    expect(() => parseSettings(env)).toThrow(/FILES_LAKE_PREFIX must be/);
  });

  it('refuse two places, and a lake that nobody names', () => {
    expect(() => parseSettings({ ...GOOD, FILES_LAKE_PREFIX: 'entregas' })).toThrow(/both set.*AWS_BUCKET_NAME/);
  });
});
