/** Partitions whose token is greater than `after` and at most `upTo`. */
export interface TokenRange {
  after: bigint;
  upTo: bigint;
}

/** What tokens a partitioner gives: greater than `before`, at most `last`. */
export interface TokenSpace {
  before: bigint;
  last: bigint;
}

const SPACES: Record<string, TokenSpace> = {
  Murmur3Partitioner: { before: -(2n ** 63n), last: 2n ** 63n - 1n },
  RandomPartitioner: { before: -1n, last: 2n ** 127n },
};

/** By the class name that `system.local` tells; undefined for partitioners whose tokens are no numbers. */
export const tokenSpaceOf = (partitioner: string): TokenSpace | undefined => SPACES[partitioner.replace(/^.*\./, '')];

/**
 * Cuts the ring into `atLeast` ranges or more, at the tokens of its nodes and evenly between them. `ring` holds the
 * nodes' ranges: one that goes past the end is cut there, because CQL knows no wrap-around. The result covers every
 * token once, whatever the ring looked like.
 */
export function cutRing(ring: readonly TokenRange[], space: TokenSpace, atLeast: number): TokenRange[] {
  const borders = ring
    .flatMap(({ after, upTo }) => [after, upTo])
    .filter((token) => token > space.before && token < space.last)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .filter((token, i, all) => token !== all[i - 1]);
  const pieces = Math.ceil(atLeast / (borders.length + 1));
  const ranges: TokenRange[] = [];
  let after = space.before;
  for (const upTo of [...borders, space.last]) {
    ranges.push(...splitEvenly({ after, upTo }, pieces));
    after = upTo;
  }
  return ranges;
}

function splitEvenly({ after, upTo }: TokenRange, pieces: number): TokenRange[] {
  const ranges: TokenRange[] = [];
  let from = after;
  for (let i = 1; i <= pieces; i++) {
    const to = after + ((upTo - after) * BigInt(i)) / BigInt(pieces);
    if (to > from) ranges.push({ after: from, upTo: to });
    from = to;
  }
  return ranges;
}
