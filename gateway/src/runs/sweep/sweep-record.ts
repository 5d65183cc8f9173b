import { isLakeFailure, type Lake } from '@ingesta/kit';
import * as z from 'zod';
import { readRecord } from '../read-record';

const schema = z.object({ done: z.string().nullable(), swept_at: z.string() });

/** How far a sweep has come, from any gateway. */
export class SweepRecord {
  #etag: string | null = null;

  constructor(
    private readonly lake: Lake,
    private readonly key: string,
  ) {}

  /** Everything up to here is done; null at the beginning. */
  async read(): Promise<string | null> {
    const stored = await readRecord(this.lake, this.key, schema);
    this.#etag = stored?.etag ?? null;
    return stored?.record.done ?? null;
  }

  /** Notes how far it has come since it was read. Another gateway that was first has done the same work. */
  async write(done: string, now: Date): Promise<void> {
    const body = Buffer.from(JSON.stringify({ done, swept_at: now.toISOString() }));
    try {
      await (this.#etag === null
        ? this.lake.putIfAbsent(this.key, body)
        : this.lake.putIfMatch(this.key, body, this.#etag));
    } catch (error) {
      if (!isLakeFailure(error, 'precondition')) throw error;
    }
  }
}
