import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lake } from '@ingesta/kit';
import express, { type Express } from 'express';
import { analyticsRouter } from '../../gateway/src/analytics/analytics-router';
import { AnalyticsService } from '../../gateway/src/analytics/analytics-service';
import { createEngine, type EngineSet } from '../../gateway/src/analytics/engines/index';
import { loadPacks } from '../../gateway/src/analytics/packs/load-packs';
import type { AnalyticsRoute } from '../../gateway/src/analytics/packs/pack';
import { Snapshots } from '../../gateway/src/analytics/snapshots';
import { errorHandler } from '../../gateway/src/http/error-handler';
import { asAnybody } from '../../gateway/src/testing/as-anybody';
import { capturedLog, givenConfig } from '../../gateway/src/testing/given';

const ROOT = join(__dirname, '../..');

/** Every route that comes with the gateway. */
export const SHIPPED_PATHS = [
  '/mysql/analytics/users',
  '/mysql/analytics/growth-by-state',
  '/postgresql/analytics/products',
  '/postgresql/analytics/product-profitability',
  '/cassandra/analytics/claims',
  '/cassandra/analytics/claims-payments-correlation',
  '/cross/analytics/customer-policy-profile',
  '/cross/analytics/agent-performance',
  '/cross/analytics/claims-vs-policies',
  '/ventas/resumen_por_categoria',
] as const;

export interface AnalyticsApp {
  app: Express;
  engines: EngineSet;
  routes: readonly AnalyticsRoute[];
  lines: string[];
  close(): Promise<void>;
}

/** The analytics routes over a lake, answered by the real DuckDB; `mounted` holds packs of the test's own. */
export async function analyticsApp(
  { lake, env }: { lake: Lake; env: Record<string, string> },
  settings: Record<string, string> = {},
): Promise<AnalyticsApp> {
  const cache = await mkdtemp(join(tmpdir(), 'ingesta-cache-'));
  const config = givenConfig({ ...env, ANALYTICS_CACHE_DIR: cache, ...settings });
  const { log, lines } = capturedLog();
  const engines = createEngine(config, join(ROOT, 'gateway/dist'), log);
  const folders = { shipped: join(ROOT, 'analytics'), mounted: config.packsDir, chosen: config.packs };
  const close = async () => {
    await engines.close();
    await rm(cache, { recursive: true, force: true });
  };
  const packs = await loadPacks(folders, new Set(['api']), engines.checker).catch(async (error) => {
    await close();
    throw error;
  });
  const analytics = new AnalyticsService({
    packs,
    engine: engines.engine,
    snapshots: new Snapshots(async () => lake),
    config,
  });
  const app = express();
  app.use(asAnybody, analyticsRouter(analytics));
  app.use(errorHandler(log));
  return { app, engines, routes: analytics.routes, lines, close };
}
