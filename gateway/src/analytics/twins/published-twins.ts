import { setTimeout as sleep } from 'node:timers/promises';
import type { Lake, Manifest, ManifestEntry } from '@ingesta/kit';
import { asApiError } from '../../as-api-error';
import type { ApiError } from '../../errors';
import type { Log } from '../../log';
import { Turnstile } from '../../turnstile';
import { type TwinMaker, twinKey } from '../engines/twin';
import { twinPlace } from '../engines/twin-place';

/**
 * What became of a table's twin: `ready`; `pending` where it is not there yet, being made or left to the next query; and
 * `failed: …`, also while it is tried again.
 */
export type TwinState = 'ready' | 'pending' | `failed: ${string}`;

export interface PublishedTwinsParts {
  maker: TwinMaker;
  lake: () => Promise<Lake>;
  /** Which tables get one. */
  wants: (database: string, table: string) => boolean;
  /** What follows when the twins of a new snapshot are there, or given up for now. Never rejects. */
  afterwards?: (manifest: Manifest, signal: AbortSignal) => Promise<void>;
  log: Log;
  /** Pauses between the attempts at one twin. */
  pausesMs?: readonly number[];
  /** How long an answer waits for twins, at most. */
  answerMs?: number;
}

/** Which snapshot of which database: all that is looked at. */
type Snapshot = Pick<Manifest, 'database' | 'epoch'>;

/** The last object of a table whose twin somebody wanted. */
interface Kept {
  key: string;
  /** Of the latest snapshot that it was seen in: grows with each run, whatever the gateways' clocks say. */
  epoch: number;
  state: TwinState;
  /** Settles, always well, when the work at it is over; null while nobody works at it. */
  work: Promise<void> | null;
  halt: AbortController;
}

const PAUSES_MS = [1_000, 5_000, 30_000];
const ANSWER_MS = 1_000;

/**
 * Has the twins of published tables made, beside everything else: nothing here fails a run or a query. Each is tried a few
 * times; one that was given up is tried again with the next publication of its database and with the next query over it.
 */
export class PublishedTwins {
  readonly #kept = new Map<string, Kept>();
  readonly #following = new Set<Promise<void>>();
  readonly #closed = new AbortController();
  /** One after the other: the engine converts one at a time, and copies that wait take room on its disk. */
  readonly #turnstile = new Turnstile(1);

  constructor(private readonly parts: PublishedTwinsParts) {}

  /** Begins with the twins of a new snapshot; says soon how it stands with those of the run's own tables. Never rejects. */
  async published(manifest: Manifest): Promise<Record<string, TwinState>> {
    const soon = new AbortController();
    const wait = sleep(this.parts.answerMs ?? ANSWER_MS, undefined, { signal: soon.signal }).catch(() => undefined);
    const made = this.make(manifest);
    this.#follow(made, manifest);
    await Promise.race([made, wait]);
    soon.abort();
    const own = this.#wanted(manifest).filter(([, entry]) => entry.run_id === manifest.run_id);
    return Object.fromEntries(own.map(([table]) => [table, this.#find(manifest.database, table)!.state]));
  }

  /** Begins with what is left to be done for a snapshot of an earlier time. Twins that are there are not asked for. */
  async resume(manifest: Manifest): Promise<void> {
    await this.states(manifest);
    this.#follow(this.make(manifest), manifest);
  }

  /** Settles, always well, when every wanted twin of the snapshot is there or given up for now. */
  async make(manifest: Manifest): Promise<void> {
    await Promise.all(this.#wanted(manifest).map(([table, entry]) => this.#begin(manifest, table, entry)));
  }

  /** Takes up what was given up, for a query that reads the table of that snapshot. */
  want(snapshot: Snapshot, table: string, entry: ManifestEntry): void {
    if (this.parts.wants(snapshot.database, table)) void this.#begin(snapshot, table, entry);
  }

  /** How it stands with every wanted twin of a snapshot; the lake is asked about those not known to be there. */
  async states(manifest: Manifest): Promise<Record<string, TwinState>> {
    const { database } = manifest;
    const states = this.#wanted(manifest).map(async ([table, entry]): Promise<[string, TwinState]> => {
      const kept = this.#find(database, table);
      const known = kept?.key === twinKey(database, table, entry) ? kept : undefined;
      if (known?.state === 'ready') return [table, 'ready'];
      // Another gateway or a query may have made it.
      if (!(await this.#isThere(database, table, entry))) return [table, known?.state ?? 'pending'];
      if (known) known.state = 'ready';
      else if (!kept || kept.epoch < manifest.epoch) this.#keep(manifest, table, entry, 'ready');
      return [table, 'ready'];
    });
    return Object.fromEntries(await Promise.all(states));
  }

  /** Ends the work under way; safe twice. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the gateway is shutting down'));
    await Promise.all([...this.#kept.values()].map(({ work }) => work));
    await Promise.all(this.#following);
  }

  #follow(made: Promise<void>, manifest: Manifest): void {
    const { signal } = this.#closed;
    const following = made
      .then(() => (signal.aborted ? undefined : this.parts.afterwards?.(manifest, signal)))
      .finally(() => this.#following.delete(following));
    this.#following.add(following);
  }

  #wanted({ database, tables }: Manifest): [string, ManifestEntry][] {
    return Object.entries(tables).filter(([table]) => this.parts.wants(database, table));
  }

  #find(database: string, table: string): Kept | undefined {
    return this.#kept.get(`${database}/${table}`);
  }

  #keep({ database, epoch }: Snapshot, table: string, entry: ManifestEntry, state: TwinState): Kept {
    const key = twinKey(database, table, entry);
    const kept: Kept = { key, epoch, state, work: null, halt: new AbortController() };
    this.#kept.set(`${database}/${table}`, kept);
    return kept;
  }

  async #begin(snapshot: Snapshot, table: string, entry: ManifestEntry): Promise<void> {
    const { database, epoch } = snapshot;
    const known = this.#find(database, table);
    if (known?.key === twinKey(database, table, entry)) {
      known.epoch = Math.max(known.epoch, epoch);
      if (known.state === 'ready' || known.work !== null) return known.work ?? undefined;
    } else if (known !== undefined) {
      // A query may still read the snapshot before.
      if (known.epoch > epoch) return;
      known.halt.abort(new Error('a later run has published the table anew'));
    }
    const kept = this.#keep(snapshot, table, entry, 'pending');
    const signal = AbortSignal.any([kept.halt.signal, this.#closed.signal]);
    const make = () =>
      this.#turnstile
        .run(signal, () => this.parts.maker.makeTwin(database, table, entry, signal))
        .then(
          () => {
            kept.state = 'ready';
          },
          (error) => {
            if (signal.aborted) throw error;
            kept.state = `failed: ${this.#tell(database, table, error).message}`;
            throw error;
          },
        );
    kept.work = this.#attempts(make, signal).finally(() => {
      kept.work = null;
    });
    return kept.work;
  }

  /** Until it goes well, until nothing is left to be tried, or until the signal. Never rejects. */
  async #attempts(make: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const pauses = this.parts.pausesMs ?? PAUSES_MS;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const failure = await make().then(
        () => null,
        (error: unknown) => asApiError(error),
      );
      // An object that is gone or no CSV will be no other in a minute.
      const pause = failure?.code === 'DATA_NOT_AVAILABLE' ? undefined : pauses[attempt];
      if (failure === null || pause === undefined) return;
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  #tell(database: string, table: string, error: unknown): ApiError {
    const failure = asApiError(error, database);
    const { code, message, hint, cause } = failure;
    const why = cause instanceof Error ? { cause: cause.message } : {};
    this.parts.log.warn('a columnar twin could not be made', { database, table, code, reason: message, hint, ...why });
    return failure;
  }

  async #isThere(database: string, table: string, entry: ManifestEntry): Promise<boolean> {
    return (await twinPlace(await this.parts.lake(), database, table, entry)).twin !== null;
  }
}
