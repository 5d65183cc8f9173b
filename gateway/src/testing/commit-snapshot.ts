import { createHash } from 'node:crypto';
import { type Column, type Lake, type ManifestEntry, manifestSchema, pointerKey, runKeys } from '@ingesta/kit';

/** A table as a run would have exported it. */
export interface CommittedTable {
  csv: string | Buffer;
  columns: readonly Pick<Column, 'name' | 'logical_type' | 'source_type'>[];
}

export interface CommitOptions {
  runId: string;
  /** ISO 8601, UTC. */
  takenAt: string;
  /** Entries of a snapshot before, which a run over some tables keeps. */
  kept?: Readonly<Record<string, ManifestEntry>>;
  /** Of the lease that published it; 1 unless given. */
  epoch?: number;
}

/** Puts objects, a manifest and the pointer to it into a lake: what a run leaves, without running one. */
export async function commitSnapshot(
  lake: Lake,
  database: string,
  tables: Readonly<Record<string, CommittedTable>>,
  { runId, takenAt, kept = {}, epoch = 1 }: CommitOptions,
): Promise<Record<string, ManifestEntry>> {
  const entries: Record<string, ManifestEntry> = { ...kept };
  for (const [table, { csv, columns }] of Object.entries(tables)) {
    const body = Buffer.from(csv);
    const key = `${database}/${table}_${runId}.csv`;
    await lake.create(key, chunk(body), { contentType: 'text/csv' });
    entries[table] = {
      key,
      url: lake.urlOf(key),
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
      rows: csvRows(body),
      columns: columns.map((column) => ({ ...column, nullable: true })),
      dropped_columns: [],
      consistency: 'snapshot',
      run_id: runId,
      taken_at: takenAt,
      sensitive_rules: null,
    };
  }
  await commitEntries(lake, database, entries, { runId, takenAt, epoch });
  return entries;
}

/** Puts a manifest of objects that are there into a lake, and the pointer to it. */
export async function commitEntries(
  lake: Lake,
  database: string,
  entries: Readonly<Record<string, ManifestEntry>>,
  { runId, takenAt, epoch = 1 }: Omit<CommitOptions, 'kept'>,
): Promise<void> {
  const manifest = manifestSchema.parse({
    ...{ version: 1, database, run_id: runId, parent: null, taken_at: takenAt, epoch },
    ...{ consistency: 'snapshot', image_digest: null, tables: entries },
  });
  const manifestKey = runKeys(database, runId).manifest;
  await lake.putIfAbsent(manifestKey, Buffer.from(JSON.stringify(manifest)));
  const pointer = Buffer.from(JSON.stringify({ epoch, manifest: manifestKey, updated_at: takenAt }));
  const there = await lake.get(pointerKey(database));
  if (there === null) await lake.putIfAbsent(pointerKey(database), pointer);
  else await lake.putIfMatch(pointerKey(database), pointer, there.etag);
}

async function* chunk(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}

/** Line ends outside of quotes, the header's not counted. */
const csvRows = (body: Buffer): number =>
  body
    .toString('utf8')
    .replace(/"(?:[^"]|"")*"/g, '')
    .split('\n').length - 2;
