import { type Lake, type Manifest, within } from '@ingesta/kit';
import { endpointCounts, tablesRead } from '../analytics/pack-facts';
import type { Pack } from '../analytics/packs/pack';
import type { Snapshots } from '../analytics/snapshots';
import type { PublishedTwins } from '../analytics/twins/published-twins';
import { asApiError } from '../as-api-error';
import type { Catalog } from '../catalog/catalog';
import type { Config } from '../config';
import { ApiError } from '../errors';
import type { Runner } from '../runners/runner';
import { type Clock, systemClock } from '../runs/clock';
import { KnownSources, LISTING_MS } from './known-sources';

/** `GET /`. */
export interface Overview {
  message: string;
  version: string;
  status: 'OK';
  data_source: string;
  available_databases: string[];
  /** Analytics routes per first part of their path. */
  endpoints: Record<string, number>;
}

/** `GET /health`. */
export interface LakeHealth {
  status: 'OK' | 'DEGRADED';
  timestamp: string;
  /** Per database and table, also of those that only analytics packs know: is it in the committed snapshot? */
  data_availability: Record<string, Record<string, boolean>>;
  /** Objects and size of all committed snapshots. */
  bucket_summary: { total_objects: number; total_size_mb: number };
  /** Seconds since each database's snapshot was taken. */
  data_age_seconds: Record<string, number>;
  /** Per database and committed table that analytics read, its columnar twin: `ready`, `pending`, or `failed: …`. */
  analytics: Record<string, Record<string, string>>;
  /** Per database what is wrong with its tables in Glue, in this gateway's eyes; absent where no catalog is kept. */
  catalog?: Record<string, string>;
  /** Why the sources could not be listed now, so that those known before are told of; absent when they could. */
  runner?: string;
  /** Why it is DEGRADED. */
  problem?: string;
}

/** State of one part, and what to do about it. */
export interface PartHealth {
  state: 'ok' | 'failing';
  detail: string;
  hint: string | null;
}

/** `GET /api/ingesta/health`. */
export interface IngestHealth {
  status: 'OK' | 'DEGRADED';
  runner: PartHealth;
  images: Record<string, PartHealth>;
  lake: PartHealth;
}

/** Balancers poll; the lake is asked at most this often. */
const CACHE_MS = 10_000;
/** A lake that takes longer is told as DEGRADED: balancers do not wait for it. */
const ANSWER_MS = 3_000;

/** Answers the questions of people, balancers and monitors. Never throws for a part that fails: that is the answer. */
export class HealthService {
  #cached: { at: number; health: Promise<LakeHealth> } | null = null;
  /** What the lake said last, for as long as it says nothing; and when each database's snapshot was taken, for ages go on. */
  #last: { health: LakeHealth; takenAt: ReadonlyMap<string, number> } | null = null;
  readonly #sources: KnownSources;

  constructor(
    private readonly services: {
      config: Config;
      runner: Runner;
      lake: () => Promise<Lake>;
      version: string;
      snapshots: Snapshots;
      /** Analytics packs, whose tables are listed also where they are not there. */
      packs?: readonly Pack[];
      twins?: Pick<PublishedTwins, 'states'>;
      catalog?: Pick<Catalog, 'problems'> | null;
    },
    private readonly clock: Pick<Clock, 'mono' | 'wall'> = systemClock,
  ) {
    this.#sources = new KnownSources(services.runner);
  }

  async overview(): Promise<Overview> {
    const { config, version } = this.services;
    const { listings } = await this.#sources.read();
    return {
      message: config.title,
      version,
      status: 'OK',
      data_source: config.dataSource,
      available_databases: listings.map(({ title }) => title),
      endpoints: endpointCounts(this.services.packs ?? []),
    };
  }

  data(): Promise<LakeHealth> {
    const at = this.clock.mono();
    if (this.#cached === null || at - this.#cached.at >= CACHE_MS) this.#cached = { at, health: this.#readData() };
    return this.#cached.health;
  }

  async ingestion(): Promise<IngestHealth> {
    const { runner, config } = this.services;
    const [checked, lake, { listings, problem }] = await Promise.all([
      part(() => runner.check(), `runner ${config.runner}`),
      part(async () => inTime((await this.services.lake()).check()), 'reachable'),
      this.#sources.read(LISTING_MS),
    ]);
    const images = Object.fromEntries(
      listings.map((listing): [string, PartHealth] => [
        listing.name,
        listing.present
          ? { state: 'ok', detail: listing.reference, hint: null }
          : { state: 'failing', detail: `${listing.reference} is absent`, hint: listing.hint },
      ]),
    );
    // One that cannot say what it has may have nothing.
    const hint = 'Is the host overloaded? Ask again in a minute.';
    const runnerHealth: PartHealth =
      checked.state === 'ok' && problem !== null ? { state: 'failing', detail: problem, hint } : checked;
    const good = [runnerHealth, lake, ...Object.values(images)].every(({ state }) => state === 'ok');
    return { status: good ? 'OK' : 'DEGRADED', runner: runnerHealth, images, lake };
  }

  async #readData(): Promise<LakeHealth> {
    const { catalog } = this.services;
    const { listings, problem } = await this.#sources.read();
    const health: LakeHealth = {
      status: 'OK',
      timestamp: new Date(this.clock.wall()).toISOString(),
      data_availability: this.#nothingThere(),
      bucket_summary: { total_objects: 0, total_size_mb: 0 },
      data_age_seconds: {},
      analytics: {},
      ...(catalog && { catalog: catalog.problems() }),
      ...(problem && { runner: problem }),
    };
    try {
      const { manifests, states } = await inTime(this.#committed(listings.map(({ name }) => name)));
      for (const manifest of manifests) add(health, manifest);
      const takenAt = new Map(manifests.map((manifest) => [manifest.database, oldestOf(manifest)]));
      health.analytics = states;
      health.data_age_seconds = this.#agesOf(takenAt);
      this.#last = { health, takenAt };
      return health;
    } catch (error) {
      const { code, message } = asApiError(error);
      const { runner: _, ...last } = this.#last?.health ?? health;
      return {
        ...last,
        timestamp: health.timestamp,
        data_age_seconds: this.#agesOf(this.#last?.takenAt ?? new Map()),
        ...(health.catalog && { catalog: health.catalog }),
        ...(problem && { runner: problem }),
        status: 'DEGRADED',
        problem: `${code}: ${message}`,
      };
    }
  }

  async #committed(sources: string[]): Promise<{ manifests: Manifest[]; states: LakeHealth['analytics'] }> {
    const { packs, snapshots, twins } = this.services;
    const databases = new Set([...sources, ...tablesRead(packs ?? []).keys()]);
    const read = await Promise.all([...databases].map((database) => snapshots.read(database)));
    const manifests = read.flatMap((manifest) => manifest ?? []);
    const states = await Promise.all(
      manifests.map(async (manifest) => [manifest.database, (await twins?.states(manifest)) ?? {}] as const),
    );
    return { manifests, states: Object.fromEntries(states.filter(([, tables]) => Object.keys(tables).length > 0)) };
  }

  /** The tables that packs read, before any is found. */
  #nothingThere(): LakeHealth['data_availability'] {
    const tables = [...tablesRead(this.services.packs ?? [])];
    return Object.fromEntries(
      tables.map(([database, names]) => [database, Object.fromEntries(names.map((name) => [name, false]))]),
    );
  }

  #agesOf(takenAt: ReadonlyMap<string, number>): Record<string, number> {
    const now = this.clock.wall();
    const age = (at: number) => Math.max(0, Math.round((now - at) / 1000));
    return Object.fromEntries([...takenAt].map(([database, at]) => [database, age(at)]));
  }
}

function add(health: LakeHealth, manifest: Manifest): void {
  const entries = Object.entries(manifest.tables);
  const megabytes = entries.reduce((sum, [, entry]) => sum + entry.bytes, 0) / 1e6;
  const { total_objects, total_size_mb } = health.bucket_summary;
  health.data_availability[manifest.database] = {
    ...health.data_availability[manifest.database],
    ...Object.fromEntries(entries.map(([table]) => [table, true])),
  };
  health.bucket_summary = {
    total_objects: total_objects + entries.length,
    total_size_mb: Math.round((total_size_mb + megabytes) * 1000) / 1000,
  };
}

/** When the oldest of its tables was taken, ms since 1970; a snapshot without any is always new. */
const oldestOf = ({ tables }: Manifest): number =>
  Math.min(...Object.values(tables).map(({ taken_at }) => Date.parse(taken_at)));

const inTime = <T>(work: Promise<T>): Promise<T> =>
  within(
    ANSWER_MS,
    work,
    () => new ApiError('LAKE_UNAVAILABLE', `The lake gave no answer within ${ANSWER_MS / 1000} s`),
  );

async function part(check: () => Promise<void>, detail: string): Promise<PartHealth> {
  try {
    await check();
    return { state: 'ok', detail, hint: null };
  } catch (error) {
    const { code, message, hint } = asApiError(error);
    return { state: 'failing', detail: `${code}: ${message}`, hint };
  }
}
