import express, { type Express } from 'express';
import openApi from '../generated/openapi.json';
import { RegisterRoutes } from '../generated/routes';
import { withAnalytics } from './analytics/analytics-open-api';
import { analyticsRouter } from './analytics/analytics-router';
import type { AnalyticsService } from './analytics/analytics-service';
import { docsRoutes } from './docs/docs-routes';
import { HealthController } from './health/health-controller';
import type { HealthService } from './health/health-service';
import { errorHandler, notFound } from './http/error-handler';
import type { OpenRequests } from './http/open-requests';
import type { Submissions } from './ingest/idempotency';
import { IngestController } from './ingest/ingest-controller';
import { RunsController } from './ingest/runs-controller';
import type { RunsService } from './ingest/runs-service';
import type { IngestService } from './ingest/service';
import { CONTROLLERS, type MakeController } from './ioc';
import type { Log } from './log';
import { measureRequests } from './metrics/measure-requests';
import type { Metrics } from './metrics/metrics';
import { MetricsController } from './metrics/metrics-controller';
import { authenticate } from './security/authenticate';
import { FailedAttempts } from './security/failed-attempts';
import { limitAddresses, limitPrincipals } from './security/rate-limits';
import { needsAuthentication, OPEN, type SecurityConfig } from './security/security-config';
import { securityHeaders } from './security/security-headers';
import { withSecurity } from './security/with-security';
import type { SourcesService } from './sources/sources-service';

export interface AppServices {
  ingestion: IngestService;
  submissions: Submissions;
  runs: RunsService;
  sources: SourcesService;
  health: HealthService;
  /** Absent: no analytics routes. */
  analytics?: AnalyticsService;
  metrics: Metrics;
  /** Absent: nobody waits for them when the gateway stops. */
  open?: OpenRequests;
  /** Absent: everybody may do everything. */
  security?: SecurityConfig;
  log: Log;
  /** Folder with the documentation's scripts. */
  assets: string;
}

/** The first parts of the paths that the gateway serves itself: no pack may have a route there. */
export const OWN_FIRST_PARTS: ReadonlySet<string> = new Set([
  ...Object.keys(openApi.paths).map((path) => path.split('/')[1]!),
  ...['docs', 'redoc', 'openapi.json'],
]);

/** The HTTP side: middleware, routes, and the error handler last. Services come in ready. */
export function createApp({
  ingestion,
  submissions,
  runs,
  sources,
  health,
  analytics,
  metrics,
  open,
  security = OPEN,
  log,
  assets,
}: AppServices): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', security.trustProxy);
  app.use(measureRequests(metrics));
  if (open !== undefined) app.use(open.watch);
  app.use(securityHeaders, limitAddresses(security.rateLimitAddress));
  app.use(authenticate(security, new FailedAttempts(security.authFailures), log), limitPrincipals(security.rateLimit));
  app.locals[CONTROLLERS] = new Map<unknown, MakeController>([
    [IngestController, () => new IngestController(ingestion, submissions, runs, sources)],
    [RunsController, () => new RunsController(runs)],
    [HealthController, () => new HealthController(health)],
    [MetricsController, () => new MetricsController(metrics)],
  ]);
  app.use(express.json({ limit: '100kb', type: () => true }));
  const document = withSecurity(withAnalytics(openApi, analytics?.routes ?? []), needsAuthentication(security));
  app.use(docsRoutes(document, assets));
  // A router of its own answers OPTIONS for the routes it has, before `notFound` takes the rest.
  const routes = express.Router();
  RegisterRoutes(routes);
  app.use(routes);
  if (analytics !== undefined) app.use(analyticsRouter(analytics));
  app.use(notFound);
  app.use(errorHandler(log));
  return app;
}
