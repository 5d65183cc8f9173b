import { type Lake, PROBES } from '@ingesta/kit';
import { openUploads } from './open-uploads';

/** What lies where gateways probe the lake: when this gateway saw it first, by its monotonic clock. */
export type ProbeSightings = ReadonlyMap<string, number>;

/**
 * Removes what gateways left that were killed in the middle of their probe: objects and unfinished uploads that this gateway has
 * seen there for `graceMs`. By its own clock, as with leases; a probe under way takes seconds. Returns what to hand over
 * next time. Throws `LakeError`.
 */
export async function sweepProbes(
  lake: Lake,
  before: ProbeSightings,
  { now, graceMs }: { now: number; graceMs: number },
): Promise<ProbeSightings> {
  const seen = new Map<string, number>();
  const isLeft = (what: string): boolean => {
    const since = before.get(what);
    seen.set(what, since ?? now);
    return since !== undefined && now - since >= graceMs;
  };
  for await (const { key } of lake.list(PROBES)) if (isLeft(key)) await lake.delete(key);
  for await (const { key, uploadId } of openUploads(lake, PROBES))
    if (isLeft(`${key} ${uploadId}`)) await lake.abortUpload(key, uploadId);
  return seen;
}
