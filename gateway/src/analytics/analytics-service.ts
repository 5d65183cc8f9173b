import { createHash } from 'node:crypto';
import type { ManifestEntry } from '@ingesta/kit';
import type { Config } from '../config';
import { ApiError } from '../errors';
import type { Metrics } from '../metrics/metrics';
import { Turnstile } from '../turnstile';
import { composeAnswer } from './answer';
import type { Engine, QueryTable, SqlValue } from './engines/engine';
import {
  type AnalyticsRoute,
  AS_OF,
  boundStatement,
  type Pack,
  type RouteStatement,
  type TableRef,
} from './packs/pack';
import { ResultCache } from './result-cache';
import { SharedWork } from './shared-work';
import type { Snapshots } from './snapshots';
import type { PublishedTwins } from './twins/published-twins';

/** What one request reads: fixed before anything is asked, so that nothing published meanwhile mixes in. */
export interface Reading {
  route: AnalyticsRoute;
  /** Date of the oldest data read, UTC. */
  asOf: string;
  tables: readonly QueryTable[];
  /** Of the snapshots that they are of, by database. */
  epochs: ReadonlyMap<string, number>;
  values: ReadonlyMap<string, SqlValue>;
  /** Of the entries, the parameters and the SQL: two readings with the same have the same answer. */
  etag: string;
  /** `mysql=<run_id>`, for each database and run. */
  runs: readonly string[];
}

export interface AnalyticsServices {
  packs: readonly Pack[];
  engine: Engine;
  snapshots: Snapshots;
  /** Told of the tables that a query reads. */
  twins?: Pick<PublishedTwins, 'want'>;
  metrics?: Pick<Metrics, 'query' | 'cacheHit'>;
  config: Pick<Config, 'queryTimeoutSeconds' | 'maxConcurrentQueries' | 'resultCacheBytes'>;
}

/** Requests that may wait for their turn before others are told to come back later. */
const MAX_WAITING = 200;
const RETRY_SECONDS = '5';

/** Answers the routes of the packs from what is committed in the lake. */
export class AnalyticsService {
  readonly routes: readonly AnalyticsRoute[];
  readonly #packs: ReadonlyMap<string, Pack>;
  readonly #cache: ResultCache;
  readonly #shared = new SharedWork<Buffer>();
  readonly #turnstile: Turnstile;

  constructor(private readonly services: AnalyticsServices) {
    const { packs, config } = services;
    this.routes = packs.flatMap((pack) => pack.routes);
    this.#packs = new Map(packs.map((pack) => [pack.name, pack]));
    this.#cache = new ResultCache(config.resultCacheBytes);
    this.#turnstile = new Turnstile(
      config.maxConcurrentQueries,
      MAX_WAITING,
      () =>
        new ApiError('RATE_LIMITED', 'Too many queries wait already', { headers: { 'Retry-After': RETRY_SECONDS } }),
    );
  }

  /** What a request will read. Throws `DATA_NOT_AVAILABLE` where a table was never ingested, and what the lake throws. */
  async read(route: AnalyticsRoute, values: ReadonlyMap<string, SqlValue>): Promise<Reading> {
    const databases = [...new Set([...route.tables, ...route.uses].map(({ database }) => database))];
    const manifests = new Map(
      await Promise.all(
        databases.map(async (database) => [database, await this.services.snapshots.read(database)] as const),
      ),
    );
    const entryOf = ({ database, table }: TableRef) => {
      const entries = manifests.get(database)?.tables;
      return entries && Object.hasOwn(entries, table) ? entries[table] : undefined;
    };
    const missing = route.tables.filter((ref) => entryOf(ref) === undefined);
    if (missing.length > 0) throw notAvailable(missing);

    const declared = this.#packs.get(route.pack)!.tables;
    const tables = [...route.tables, ...route.uses].flatMap((ref): QueryTable[] => {
      const entry = entryOf(ref);
      return entry === undefined
        ? []
        : [{ ...declared.get(ref.name)!, database: ref.database, table: ref.table, entry }];
    });
    return {
      route,
      values,
      tables,
      epochs: new Map([...manifests].flatMap(([database, manifest]) => (manifest ? [[database, manifest.epoch]] : []))),
      asOf: oldest(tables.map(({ entry }) => entry)),
      etag: etagOf(route, values, tables),
      runs: [...new Set(tables.map(({ database, entry }) => `${database}=${entry.run_id}`))],
    };
  }

  /**
   * The answer to a reading, as JSON: from memory, from a query that runs already, or from a new one, which is killed
   * when all who wait for it have left or `QUERY_TIMEOUT` is over. `leave` is the caller's own.
   */
  async answer(reading: Reading, leave: AbortSignal): Promise<Buffer> {
    const { metrics } = this.services;
    const { path } = reading.route;
    const kept = this.#cache.get(reading.etag);
    if (kept !== undefined) {
      metrics?.cacheHit(path);
      return kept;
    }
    return this.#shared.run(reading.etag, leave, async (abandoned) => {
      const query = this.#inTime(abandoned, (signal) =>
        this.#turnstile.run(signal, () => this.#query(reading, signal)),
      );
      const body = await (metrics?.query(path, query) ?? query);
      this.#cache.set(reading.etag, body);
      return body;
    });
  }

  async #query({ route, tables, epochs, asOf, values }: Reading, signal: AbortSignal): Promise<Buffer> {
    const there = new Set(tables.map(({ name }) => name));
    const statements = route.statements.filter(({ needs }) => needs.every(({ name }) => there.has(name)));
    const boundTo = (name: string) => (name === AS_OF ? asOf : (values.get(name) ?? null));
    const bound = statements.map((statement) => boundStatement(statement, boundTo));
    const { engine, twins } = this.services;
    const results = await engine.query(tables, bound, signal);
    for (const { database, table, entry } of tables)
      twins?.want({ database, epoch: epochs.get(database)! }, table, entry);
    return composeAnswer(asOf, statements, results);
  }

  async #inTime<T>(abandoned: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const seconds = this.services.config.queryTimeoutSeconds;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new ApiError('QUERY_TIMEOUT', `The query took longer than ${seconds} s`)),
      seconds * 1000,
    );
    try {
      return await work(AbortSignal.any([abandoned, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Names each database's missing tables, and what brings them. */
function notAvailable(missing: readonly TableRef[]): ApiError {
  const databases = [...new Set(missing.map(({ database }) => database))];
  const names = missing.map(({ database, table }) => `${database}.${table}`).join(', ');
  const posts = databases.map((database) => `POST /api/ingesta/${database}`).join(' and ');
  return new ApiError('DATA_NOT_AVAILABLE', `Not ingested yet: ${names}`, {
    hint: `${posts} ${databases.length > 1 ? 'bring' : 'brings'} what is missing.`,
    ...(databases.length === 1 ? { database: databases[0]! } : {}),
  });
}

const oldest = (entries: readonly ManifestEntry[]): string =>
  new Date(Math.min(...entries.map(({ taken_at }) => Date.parse(taken_at)))).toISOString().slice(0, 10);

/** Routes never change, and every request asks. */
const digests = new WeakMap<AnalyticsRoute, string>();

/** Of all that makes an answer besides the data and the parameters. */
function sqlDigest(route: AnalyticsRoute): string {
  const known = digests.get(route);
  if (known !== undefined) return known;
  const shape = ({ path, kind, sql, binds, shared, needs }: RouteStatement) => [path, kind, sql, binds, shared, needs];
  const digest = digestOf([route.path, route.statements.map(shape)]);
  digests.set(route, digest);
  return digest;
}

const digestOf = (parts: unknown): string => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

function etagOf(route: AnalyticsRoute, values: ReadonlyMap<string, SqlValue>, tables: readonly QueryTable[]): string {
  const parts = [
    sqlDigest(route),
    [...values],
    tables.map(({ name, columns, entry: { key, sha256, run_id, taken_at } }) => [
      ...[name, columns],
      ...[key, sha256, run_id, taken_at],
    ]),
  ];
  return `"${digestOf(parts).slice(0, 32)}"`;
}
