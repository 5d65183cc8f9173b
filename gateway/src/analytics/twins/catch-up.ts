import { type Lake, POINTERS } from '@ingesta/kit';
import type { Log } from '../../log';
import type { Snapshots } from '../snapshots';
import type { PublishedTwins } from './published-twins';

export interface CatchUpParts {
  lake: () => Promise<Lake>;
  snapshots: Pick<Snapshots, 'read'>;
  twins: Pick<PublishedTwins, 'resume'>;
  log: Log;
}

/**
 * Begins with what follows a publication where its gateway may have gone before: nobody else would until the next run.
 * Safe to call again and from several gateways; where nothing was left undone it only reads.
 */
export class CatchUp {
  constructor(private readonly parts: CatchUpParts) {}

  /** For every committed snapshot. Rejects where the lake cannot be listed. */
  async all(): Promise<void> {
    const lake = await this.parts.lake();
    for await (const { key } of lake.list(POINTERS)) await this.one(key.slice(POINTERS.length, -'.json'.length));
  }

  /** For the committed snapshot of a database. Never rejects. */
  async one(database: string): Promise<void> {
    const { snapshots, twins, log } = this.parts;
    try {
      const manifest = await snapshots.read(database);
      if (manifest) await twins.resume(manifest);
    } catch (error) {
      const cause = (error as Error).message;
      log.warn('what follows a publication may be left undone until the next run', { database, cause });
    }
  }
}
