import express, { type Express } from 'express';
import openApi from '../generated/openapi.json';
import { RegisterRoutes } from '../generated/routes';
import { docsRoutes } from './docs/docs-routes';
import { HealthController } from './health/health-controller';
import type { HealthService } from './health/health-service';
import { errorHandler, notFound } from './http/error-handler';
import { IngestController } from './ingest/ingest-controller';
import type { IngestService } from './ingest/service';
import { CONTROLLERS } from './ioc';
import type { Log } from './log';
import type { SourcesService } from './sources/sources-service';

export interface AppServices {
  ingestion: IngestService;
  sources: SourcesService;
  health: HealthService;
  log: Log;
  /** Folder with the documentation's scripts. */
  assets: string;
}

/** The HTTP side: middleware, routes, and the error handler last. Services come in ready. */
export function createApp({ ingestion, sources, health, log, assets }: AppServices): Express {
  const app = express();
  app.disable('x-powered-by');
  app.locals[CONTROLLERS] = new Map<unknown, unknown>([
    [IngestController, new IngestController(ingestion, sources)],
    [HealthController, new HealthController(health)],
  ]);
  app.use(express.json({ limit: '100kb', type: () => true }));
  app.use(docsRoutes(openApi, assets));
  // A router of its own answers OPTIONS for the routes it has, before `notFound` takes the rest.
  const routes = express.Router();
  RegisterRoutes(routes);
  app.use(routes);
  app.use(notFound);
  app.use(errorHandler(log));
  return app;
}
