import type { Client } from 'cassandra-driver';
import handler from 'cassandra-driver/lib/prepare-handler';
import { FrameReader, type WireMetadata, type WireType } from 'cassandra-driver/lib/readers';

/** Kinds of a RESULT frame, by the protocol. */
const KIND = { rows: 2, prepared: 4 };

/** What the server says of a statement that it has not run. */
export interface Prepared {
  /** Bind markers. */
  parameters: number;
  /** Of its rows, in order; none where it gives no rows. */
  columns: { keyspace: string; table: string; name: string; type: WireType }[];
}

interface PreparedMetadata extends WireMetadata {
  results?: WireMetadata;
}

/** The driver's types leave it out. */
interface Internals {
  options: { policies: { loadBalancing: unknown } };
}

/**
 * The answer to PREPARE describes first the bind markers, then the rows to come. The driver reads the former only, and
 * leaves the rest of the frame unread.
 */
const readMetadata = FrameReader.prototype.readMetadata;
FrameReader.prototype.readMetadata = function readWithResults(kind: number): PreparedMetadata {
  const metadata: PreparedMetadata = readMetadata.call(this, kind);
  if (kind === KIND.prepared) metadata.results = readMetadata.call(this, KIND.rows);
  return metadata;
};

/** Has the server check a statement. Throws the driver's errors. */
export async function prepare(client: Client, query: string): Promise<Prepared> {
  const { loadBalancing } = (client as unknown as Internals).options.policies;
  const { meta } = await handler.getPrepared(client, loadBalancing, query, undefined);
  const { results } = meta as PreparedMetadata;
  return {
    parameters: meta.columns.length,
    columns: (results?.columns ?? []).map(({ ksname, tablename, name, type }) => ({
      keyspace: ksname ?? results?.keyspace ?? '',
      table: tablename ?? results?.table ?? '',
      name,
      type,
    })),
  };
}
