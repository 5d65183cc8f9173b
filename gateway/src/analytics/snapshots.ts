import type { Lake, Manifest } from '@ingesta/kit';
import { readCurrent } from '../runs/publication';

type Reading = Promise<Manifest | null>;

/**
 * The committed manifests, read anew for whoever asks, so that what a POST has published is seen at once; but never two
 * readings of one database at a time: whoever comes during one shares the next, which begins after they came. A reading
 * costs one GET, of the pointer; the manifest it names is kept.
 */
export class Snapshots {
  readonly #running = new Map<string, Reading>();
  readonly #next = new Map<string, Reading>();
  readonly #last = new Map<string, { key: string; manifest: Manifest }>();

  constructor(private readonly lake: () => Promise<Lake>) {}

  /** The committed manifest of a database, or null where nothing was ever ingested. */
  read(database: string): Reading {
    const running = this.#running.get(database);
    if (running === undefined) return this.#start(database);
    let next = this.#next.get(database);
    if (next === undefined) {
      next = running
        .catch(() => null)
        .then(() => {
          this.#next.delete(database);
          return this.#start(database);
        });
      this.#next.set(database, next);
    }
    return next;
  }

  #start(database: string): Reading {
    const reading = this.lake()
      .then((lake) => this.#current(lake, database))
      .finally(() => this.#running.delete(database));
    this.#running.set(database, reading);
    return reading;
  }

  async #current(lake: Lake, database: string): Promise<Manifest | null> {
    const last = this.#last.get(database);
    const current = await readCurrent(lake, database, (key) => (key === last?.key ? last.manifest : undefined));
    const key = current?.pointer.manifest;
    if (!current?.manifest || !key) return null;
    this.#last.set(database, { key, manifest: current.manifest });
    return current.manifest;
  }
}
