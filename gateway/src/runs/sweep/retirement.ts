/** A published snapshot, as far as retention cares. */
export interface Snapshot {
  /** Key of its manifest. */
  manifest: string;
  /** Every object it names, of whichever run. */
  objects: readonly string[];
  /** When another snapshot took its place, ms since 1970; null for the one that readers see, or where nobody noted it. */
  supersededAt: number | null;
}

export interface Retirement {
  /** Objects that no snapshot which stays needs. */
  objects: string[];
  /** The newest snapshot that is retired; null where none is. */
  newest: string | null;
}

/**
 * Which snapshots of `chain` (newest first) retire at `now`: all but the newest `keep`, once their place was taken more than
 * `graceMs` ago, for somebody may still read what was current when he began. A carried-over object stays as long as any
 * snapshot names it that does. What came before `chain` has retired already: an object that lived on from there stands in
 * every snapshot since, so that it goes with the last of them.
 */
export function retire(chain: readonly Snapshot[], keep: number, now: number, graceMs: number): Retirement {
  const isOld = ({ supersededAt }: Snapshot) => supersededAt !== null && supersededAt + graceMs <= now;
  let stays = Math.min(chain.length, Math.max(1, keep));
  // One that cannot go yet keeps all newer ones, whatever their clocks said.
  for (let i = stays; i < chain.length; i += 1) if (!isOld(chain[i]!)) stays = i + 1;
  const needed = new Set(chain.slice(0, stays).flatMap(({ objects }) => objects));
  const gone = new Set(chain.slice(stays).flatMap(({ objects }) => objects.filter((key) => !needed.has(key))));
  return { objects: [...gone], newest: chain[stays]?.manifest ?? null };
}
