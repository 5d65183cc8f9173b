import type { Pack } from './packs/pack';

/** Routes per group, which is the first part of their path unless a file says otherwise. */
export function endpointCounts(packs: readonly Pack[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { group } of packs.flatMap(({ routes }) => routes)) counts.set(group, (counts.get(group) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** The tables that routes read, by database, each once. */
export function tablesRead(packs: readonly Pack[]): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, string[]>();
  for (const { database, table } of packs.flatMap(({ routes }) => routes.flatMap((r) => [...r.tables, ...r.uses]))) {
    const known = tables.get(database) ?? [];
    if (!known.includes(table)) tables.set(database, [...known, table].sort());
  }
  return tables;
}
