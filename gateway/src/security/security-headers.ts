import type { RequestHandler } from 'express';
import helmet, { type HelmetOptions } from 'helmet';

/** For browsers: what comes from here is data. TLS, and what follows from it, is the proxy's. */
const COMMON: HelmetOptions = {
  strictTransportSecurity: false,
  crossOriginEmbedderPolicy: false,
  referrerPolicy: { policy: 'no-referrer' },
};

const data = helmet({
  ...COMMON,
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
});

/** Swagger UI and ReDoc set styles as they draw, and ReDoc searches in a worker made of text. No script but our own runs. */
const pages = helmet({
  ...COMMON,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      fontSrc: ["'self'", 'data:'],
      workerSrc: ["'self'", 'blob:'],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
});

const PAGES = /^\/(docs|redoc)(\/|$)/i;

export const securityHeaders: RequestHandler = (request, response, next) =>
  (PAGES.test(request.path) ? pages : data)(request, response, next);
