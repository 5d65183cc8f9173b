import { parallelOf } from './parallel';

describe('parallelOf', () => {
  it('reads both settings, an empty one being none', () => {
    const unset = parallelOf({});
    expect(parallelOf({ PARALLEL_TABLES: '', PARALLEL_RANGES: '' })).toEqual(unset);
    expect(parallelOf({ PARALLEL_TABLES: '16', PARALLEL_RANGES: '1' })).toEqual({
      parallelTables: 16,
      parallelRanges: 1,
    });
  });

  it.each(['0', '17', '-1', '2.5', 'two', '1e1'])('refuses %j', (text) => {
    for (const name of ['PARALLEL_TABLES', 'PARALLEL_RANGES']) {
      expect(() => parallelOf({ [name]: text })).toThrow(
        expect.objectContaining({ code: 'SOURCE_CONFIG', message: expect.stringContaining(`${name}=${text}`) }),
      );
    }
  });
});
