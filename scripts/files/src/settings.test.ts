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
  });

  it('have defaults for all but the place', () => {
    expect(parseSettings(GOOD)).toEqual({ place: { folder: '/data' }, format: FORMAT });
    expect(parseSettings({ FILES_LAKE_PREFIX: '/entregas/ventas/' })).toEqual({
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
    const env = { FILES_LAKE_PREFIX: prefix };
    expect(() => parseSettings(env)).toThrow(/FILES_LAKE_PREFIX must be/);
  });

  it('refuse two places', () => {
    expect(() => parseSettings({ ...GOOD, FILES_LAKE_PREFIX: 'entregas' })).toThrow(/both set/);
  });
});
