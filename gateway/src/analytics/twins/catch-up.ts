import { databaseOf, type Lake, LakeError, POINTERS } from '@ingesta/kit';
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

  /** For every committed snapshot. Rejects, after all of them, where the lake failed: call it again. */
  async all(): Promise<void> {
    const lake = await this.parts.lake();
    let failure: LakeError | undefined;
    for await (const { key } of lake.list(POINTERS)) {
      const database = databaseOf(key);
      await this.#begin(database).catch((error) => {
        if (error instanceof LakeError) failure = error;
        else this.#tell(database, error);
      });
    }
    if (failure) throw failure;
  }

  /** For the committed snapshot of a database. Never rejects. */
  async one(database: string): Promise<void> {
    await this.#begin(database).catch((error) => this.#tell(database, error));
  }

  async #begin(database: string): Promise<void> {
    const { snapshots, twins } = this.parts;
    const manifest = await snapshots.read(database);
    if (manifest) await twins.resume(manifest);
  }

  #tell(database: string, error: Error): void {
    const cause = error.message;
    this.parts.log.warn('what follows a publication may be left undone until the next run', { database, cause });
  }
}
