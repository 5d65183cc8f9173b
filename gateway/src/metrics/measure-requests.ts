import type { Request, RequestHandler } from 'express';
import type { Metrics } from './metrics';

/** What no route took: paths are the callers' words, and would each become a label. */
const NO_ROUTE = 'none';
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The first middleware: tells the metrics of each request when it is over. */
export function measureRequests(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const from = performance.now();
    response.once('close', () => {
      const method = METHODS.has(request.method) ? request.method : 'other';
      metrics.request(method, routeOf(request), response.statusCode, (performance.now() - from) / 1000);
    });
    next();
  };
}

/** The route's pattern, as `/api/ingesta/:db`. */
function routeOf({ route, baseUrl }: Request): string {
  return typeof route?.path === 'string' ? `${baseUrl}${route.path}` : NO_ROUTE;
}
