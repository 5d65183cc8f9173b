import { type Lake, LakeError, type LeaseRecord, leaseRecordSchema, lockKey } from '@ingesta/kit';
import type { Clock } from './clock';
import type { LeaseTimes, Seen } from './lease';
import { readRecord } from './read-record';

/** Reads and writes one database's lease; every call ends within `times.call`, whatever the lake does. */
export class LeaseStore {
  readonly #key: string;

  constructor(
    private readonly lake: Lake,
    readonly database: string,
    private readonly clock: Clock,
    private readonly times: LeaseTimes,
  ) {
    this.#key = lockKey(database);
  }

  async read(): Promise<Seen> {
    return this.#bounded(readRecord(this.lake, this.#key, leaseRecordSchema));
  }

  /** Writes over `etag`, or where nothing is (null). Whatever it throws, the write may have happened. */
  async write(record: LeaseRecord, etag: string | null): Promise<string> {
    const body = Buffer.from(JSON.stringify(record));
    const written =
      etag === null ? this.lake.putIfAbsent(this.#key, body) : this.lake.putIfMatch(this.#key, body, etag);
    return (await this.#bounded(written)).etag;
  }

  async #bounded<T>(call: Promise<T>): Promise<T> {
    const done = new AbortController();
    const late = this.clock.sleep(this.times.call, done.signal).then(() => {
      throw new LakeError(
        'unavailable',
        `no answer within ${Math.ceil(this.times.call / 1000)} s`,
        'Is it overloaded?',
      );
    });
    // Only one of the two is heard.
    for (const promise of [call, late]) promise.catch(() => undefined);
    try {
      return await Promise.race([call, late]);
    } finally {
      done.abort();
    }
  }
}
