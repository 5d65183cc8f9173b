import { join } from 'node:path';
import express, { type Router } from 'express';
import swaggerUi from 'swagger-ui-express';

/** ReDoc's page; the script beside it comes from this gateway, so that it works without the internet. */
const REDOC_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Ingesta API</title>
<style>body { margin: 0 }</style></head>
<body><redoc spec-url="openapi.json" hide-hostname></redoc><script src="redoc/redoc.standalone.js"></script></body>
</html>
`;

/** `/docs` (Swagger UI), `/redoc` and `/openapi.json`. `assets` is the folder with `redoc/`. */
export function docsRoutes(openApi: object, assets: string): Router {
  const router = express.Router();
  router.get('/openapi.json', (_request, response) => void response.json(openApi));
  router.use(
    '/docs',
    swaggerUi.serve,
    swaggerUi.setup(null, { swaggerOptions: { url: '../openapi.json' }, customSiteTitle: 'Ingesta API' }),
  );
  router.use('/redoc', express.static(join(assets, 'redoc'), { index: false, redirect: false, maxAge: '1h' }));
  router.get('/redoc', (_request, response) => void response.type('html').send(REDOC_PAGE));
  return router;
}
