import type { Lake } from '@ingesta/kit';
import express, { type Express } from 'express';
import request from 'supertest';
import { analyticsRouter } from '../analytics/analytics-router';
import { AnalyticsService, type AnalyticsServices } from '../analytics/analytics-service';
import { Snapshots } from '../analytics/snapshots';
import { errorHandler } from '../http/error-handler';
import { asAnybody } from './as-anybody';
import { commitSnapshot } from './commit-snapshot';
import { capturedLog, givenLake } from './given';
import { FakeEngine, loadFrom, PackFolder } from './given-packs';

export const RUNS = ['01890a5d-ac96-774b-bcce-b302099a8051', '01890a5d-ac96-774b-bcce-b302099a8052'] as const;
export const TABLE = {
  csv: 'id\n1\n',
  columns: [{ name: 'id', logical_type: 'integer', source_type: 'int' }],
} as const;

/** Analytics over an empty lake in a folder: the route `/r`, with parameters and an optional table, and a fake engine. */
export class GivenAnalytics {
  readonly folder = new PackFolder();
  engine!: FakeEngine;
  app!: Express;
  service!: AnalyticsService;
  /** What was logged. */
  lines!: string[];

  private constructor(
    private readonly lake: Lake,
    private readonly removeLake: () => Promise<void>,
  ) {
    this.folder.write('p/schema.sql', 'CREATE TABLE mysql_users (id bigint);', 'CREATE TABLE pg_extra (id bigint);');
    this.folder.write(
      ...['p/r.sql', '-- route: /r', '-- summary: R', '-- tables: mysql.users', '-- uses: pg.extra'],
      ...['-- param: n integer 1..9 = 3', '-- param: word text 1..5 = hey', '-- param: day date = 2025-01-31'],
      ...['-- name: . :one', 'SELECT :n AS n FROM mysql_users WHERE :word > :as_of AND :day IS NULL'],
      ...['-- name: extra.list :many if pg.extra', 'SELECT count(*) AS n FROM pg_extra'],
    );
  }

  static async create(): Promise<GivenAnalytics> {
    const { lake, remove } = await givenLake();
    const given = new GivenAnalytics(lake, remove);
    await given.start();
    return given;
  }

  /** Starts anew: nothing in memory, another engine, and the packs as they are now. */
  async start(settings: Partial<AnalyticsServices['config']> = {}): Promise<void> {
    this.engine = new FakeEngine();
    const config = { queryTimeoutSeconds: 60, maxConcurrentQueries: 4, resultCacheBytes: 1e6, ...settings };
    this.service = new AnalyticsService({
      packs: await loadFrom(this.folder),
      engine: this.engine,
      snapshots: new Snapshots(async () => this.lake),
      config,
    });
    const captured = capturedLog();
    this.lines = captured.lines;
    this.app = express().use(asAnybody, analyticsRouter(this.service), errorHandler(captured.log));
  }

  commit(
    database = 'mysql',
    tables: object = { users: TABLE },
    run = 0,
    takenAt = '2025-01-02T23:59:59.000Z',
  ): ReturnType<typeof commitSnapshot> {
    return commitSnapshot(this.lake, database, tables as never, { runId: RUNS[run]!, takenAt });
  }

  get(path: string): request.Test {
    return request(this.app).get(path);
  }

  async remove(): Promise<void> {
    this.folder.remove();
    await this.removeLake();
  }
}
