import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { asApiError } from '../as-api-error';
import type { PublishedRun } from '../ingest/run-answer';
import type { Acquired } from '../runs/acquire-lease';

/** What is only known at the moment of asking. Answers soon and never rejects. */
export interface Gauges {
  /** Runs of this gateway that have their turn, and those that wait for it. */
  runs: () => { running: number; queued: number };
  /** Whether the lake answers, and seconds since each database's committed snapshot was taken. */
  data: () => Promise<{ lakeUp: boolean; ageSeconds: Readonly<Record<string, number>> }>;
}

/** From a cached answer to a long query, in seconds. */
const QUICK = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** From a table of ten rows to a night's export, in seconds. */
const LONG = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600];
/** A timer of the event loop's that wakes an idle gateway ten times a second, not a hundred times. */
const EVENT_LOOP_MS = 100;

/**
 * What `GET /metrics` tells, in the names of Prometheus' conventions: seconds, bytes, `_total`. Of this gateway's life only:
 * the lake keeps the runs. Labels are names of sources, routes and codes, never anything a caller made up.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #of = { registers: [this.#registry] };
  readonly #runs = new Counter({
    name: 'ingesta_runs_total',
    help: 'Runs that ended: succeeded, failed or cancelled, with the code of the error.',
    labelNames: ['database', 'state', 'code'],
    ...this.#of,
  });
  readonly #runSeconds = new Histogram({
    name: 'ingesta_run_duration_seconds',
    help: 'From the beginning of a run to its end.',
    labelNames: ['database', 'state'],
    buckets: LONG,
    ...this.#of,
  });
  readonly #rows = new Counter({
    name: 'ingesta_exported_rows_total',
    help: 'Rows of published tables.',
    labelNames: ['database'],
    ...this.#of,
  });
  readonly #bytes = new Counter({
    name: 'ingesta_exported_bytes_total',
    help: 'Bytes of published objects.',
    labelNames: ['database'],
    ...this.#of,
  });
  readonly #leaseSeconds = new Histogram({
    name: 'ingesta_lease_acquire_seconds',
    help: 'Until a lease was had (acquired), taken over from a gateway that died (takeover), or refused.',
    labelNames: ['database', 'outcome'],
    buckets: QUICK,
    ...this.#of,
  });
  readonly #querySeconds = new Histogram({
    name: 'ingesta_query_duration_seconds',
    help: 'Analytics queries, the wait for their turn included; outcome is ok or the code of the error.',
    labelNames: ['route', 'outcome'],
    buckets: QUICK,
    ...this.#of,
  });
  readonly #cacheHits = new Counter({
    name: 'ingesta_query_cache_hits_total',
    help: 'Analytics answers that came from memory.',
    labelNames: ['route'],
    ...this.#of,
  });
  readonly #requestSeconds = new Histogram({
    name: 'ingesta_http_request_duration_seconds',
    help: 'Requests by route, until the whole answer was sent or the caller had gone.',
    labelNames: ['method', 'route', 'status'],
    buckets: QUICK,
    ...this.#of,
  });

  constructor(version: string) {
    new Gauge({ name: 'ingesta_build_info', help: 'Always 1.', labelNames: ['version'], ...this.#of }).set(
      { version },
      1,
    );
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: EVENT_LOOP_MS });
  }

  /** Watches a run to its end, and hands its end on. */
  async run(database: string, run: Promise<PublishedRun>): Promise<PublishedRun> {
    const seconds = stopwatch();
    try {
      const published = await run;
      this.#ended(database, 'succeeded', '', seconds());
      for (const table of Object.values(published.answer.result)) {
        this.#rows.inc({ database }, table.registros);
        this.#bytes.inc({ database }, table.bytes);
      }
      return published;
    } catch (error) {
      const { code } = asApiError(error);
      // Refused, not failed: the run that is under way is the one that counts.
      if (code !== 'RUN_IN_PROGRESS') {
        this.#ended(database, code === 'RUN_CANCELLED' ? 'cancelled' : 'failed', code, seconds());
      }
      throw error;
    }
  }

  /** Watches the wait for a lease, and hands it on. */
  async lease(database: string, acquired: Promise<Acquired>): Promise<Acquired> {
    const seconds = stopwatch();
    let outcome = 'refused';
    try {
      const lease = await acquired;
      outcome = lease.predecessor === null ? 'acquired' : 'takeover';
      return lease;
    } finally {
      this.#leaseSeconds.observe({ database, outcome }, seconds());
    }
  }

  /** Watches an analytics query, and hands its answer on. */
  async query<T>(route: string, query: Promise<T>): Promise<T> {
    const seconds = stopwatch();
    let outcome = 'ok';
    try {
      return await query;
    } catch (error) {
      outcome = asApiError(error).code;
      throw error;
    } finally {
      this.#querySeconds.observe({ route, outcome }, seconds());
    }
  }

  cacheHit(route: string): void {
    this.#cacheHits.inc({ route });
  }

  request(method: string, route: string, status: number, seconds: number): void {
    this.#requestSeconds.observe({ method, route, status }, seconds);
  }

  /** Tells what is asked for anew at each scrape. To be called once. */
  watch({ runs, data }: Gauges): void {
    new Gauge({
      name: 'ingesta_runs_in_progress',
      help: 'Runs of this gateway under way: running, or queued for their turn.',
      labelNames: ['state'],
      collect() {
        for (const [state, count] of Object.entries(runs())) this.set({ state }, count);
      },
      ...this.#of,
    });
    new Gauge({
      name: 'ingesta_data_age_seconds',
      help: 'Since the committed snapshot of a database was taken, whichever gateway took it.',
      labelNames: ['database'],
      async collect() {
        const { ageSeconds } = await data();
        this.reset();
        for (const [database, seconds] of Object.entries(ageSeconds)) this.set({ database }, seconds);
      },
      ...this.#of,
    });
    new Gauge({
      name: 'ingesta_lake_up',
      help: '1 where the lake answers, else 0.',
      async collect() {
        this.set((await data()).lakeUp ? 1 : 0);
      },
      ...this.#of,
    });
  }

  /** The text of Prometheus' exposition format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  #ended(database: string, state: string, code: string, seconds: number): void {
    this.#runs.inc({ database, state, code });
    this.#runSeconds.observe({ database, state }, seconds);
  }
}

function stopwatch(): () => number {
  const from = process.hrtime.bigint();
  return () => Number(process.hrtime.bigint() - from) / 1e9;
}
