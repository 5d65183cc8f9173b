import fc from 'fast-check';
import { cutRing, type TokenRange, tokenSpaceOf } from './token-ranges';

const MURMUR = tokenSpaceOf('org.apache.cassandra.dht.Murmur3Partitioner')!;
const token = fc.bigInt(MURMUR.before + 1n, MURMUR.last);

/** As the driver's metadata tells it: one range per token, the last one going past the end. */
const ringOf = (tokens: bigint[]): TokenRange[] => {
  const sorted = [...tokens].sort((a, b) => (a < b ? -1 : 1));
  if (sorted.length === 1) return [{ after: MURMUR.before, upTo: MURMUR.before }];
  return sorted.map((after, i) => ({ after, upTo: sorted[(i + 1) % sorted.length]! }));
};

describe('the ranges of a ring', () => {
  it('cover every token once, whatever the ring', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(token, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 64 }),
        (tokens, n) => {
          const ranges = cutRing(ringOf(tokens), MURMUR, n);
          let at = MURMUR.before;
          for (const { after, upTo } of ranges) {
            expect(after).toBe(at);
            expect(upTo > after).toBe(true);
            at = upTo;
          }
          expect(at).toBe(MURMUR.last);
        },
      ),
    );
  });

  it('are as many as wanted for a single node', () => {
    expect(cutRing(ringOf([0n]), MURMUR, 16)).toHaveLength(16);
  });

  it('end at the tokens of the nodes', () => {
    const borders = cutRing(ringOf([-5n, 7n]), MURMUR, 1).map(({ upTo }) => upTo);
    expect(borders).toEqual([-5n, 7n, MURMUR.last]);
  });

  it('know RandomPartitioner, and no partitioner without numbers', () => {
    const space = tokenSpaceOf('org.apache.cassandra.dht.RandomPartitioner')!;
    const ranges = cutRing([{ after: -1n, upTo: -1n }], space, 4);
    expect(ranges[0]!.after).toBe(-1n);
    expect(ranges.at(-1)!.upTo).toBe(2n ** 127n);
    expect(tokenSpaceOf('org.apache.cassandra.dht.ByteOrderedPartitioner')).toBeUndefined();
  });
});
