import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { allow } from '../security/principal';
import type { AnalyticsService } from './analytics-service';
import type { AnalyticsRoute } from './packs/pack';
import { requestParameters } from './request-parameters';

/** One GET for each route of the packs. */
export function analyticsRouter(analytics: AnalyticsService): Router {
  const router = express.Router();
  for (const route of analytics.routes) router.get(route.path, answering(analytics, route));
  return router;
}

const answering =
  (analytics: AnalyticsService, route: AnalyticsRoute): RequestHandler =>
  async (request, response) => {
    // Before anything is waited for: who hangs up meanwhile is told of once.
    const leave = leaving(response);
    for (const { database } of [...route.tables, ...route.uses]) allow(request, 'read', database);
    // Not Express's own parser: it makes lists and objects of what it is given.
    const query = new URL(request.originalUrl, 'http://gateway').searchParams;
    const reading = await analytics.read(route, requestParameters(route.parameters, query));
    const headers = { ETag: reading.etag, 'Ingesta-Runs': reading.runs.join(', '), 'Cache-Control': 'no-cache' };
    if (isKnown(request, reading.etag)) {
      response.status(304).set(headers).end();
      return;
    }
    try {
      const body = await analytics.answer(reading, leave);
      response.set(headers).type('json').send(body);
    } catch (error) {
      // Nobody is there to be told.
      if (!leave.aborted) throw error;
    }
  };

/** Whether the caller has this answer (`If-None-Match`, RFC 9110 section 13.1.2). */
function isKnown(request: Request, etag: string): boolean {
  const known = (request.get('If-None-Match') ?? '').split(',').map((text) => text.trim().replace(/^W\//, ''));
  return known.includes(etag) || known.includes('*');
}

/** Aborted when the caller hangs up. */
function leaving(response: Response): AbortSignal {
  const leave = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) leave.abort(new Error('The caller hung up'));
  });
  return leave.signal;
}
