import type { SourceSession, SourceTable } from '../source';

/** Every table that a run takes by default, described. */
export async function allTables(session: SourceSession): Promise<SourceTable[]> {
  const listed = await session.list();
  return session.describe(listed.filter(({ onDemand }) => !onDemand).map(({ name }) => name));
}
