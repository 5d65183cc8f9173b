import type { Consistency } from '@ingesta/kit';
import type { ClientSession, Db, Document, Timestamp } from 'mongodb';
import { isMongos } from './connect';

/** MongoDB 5.0: snapshot reads outside of transactions. */
const SNAPSHOT_WIRE_VERSION = 13;

/** The moment that everything is read at, where the server can. */
export interface ReadPoint {
  consistency: Consistency;
  takenAt: Date;
  /** For every command that opens a cursor. */
  readConcern: Document | undefined;
}

/** Chooses the moment: the newest that a majority of the replica set holds, so that no failover takes it back. */
export async function openSnapshot(
  db: Db,
  session: ClientSession,
  hello: Document,
  wanted: boolean,
): Promise<ReadPoint> {
  const takenAt = hello.localTime instanceof Date ? hello.localTime : new Date();
  const able = hello.maxWireVersion >= SNAPSHOT_WIRE_VERSION && (hello.setName !== undefined || isMongos(hello));
  if (!wanted || !able) return { consistency: 'none', takenAt, readConcern: undefined };
  const atClusterTime: Timestamp =
    hello.lastWrite?.majorityOpTime?.ts ?? (await db.command({ ping: 1 }, { session })).$clusterTime.clusterTime;
  return { consistency: 'snapshot', takenAt, readConcern: { level: 'snapshot', atClusterTime } };
}
