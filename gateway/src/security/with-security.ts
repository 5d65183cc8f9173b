import { isAlwaysOpen } from './route-groups';

interface Operation {
  responses: Record<string, unknown>;
  security?: unknown;
}

/** As much of an OpenAPI 3.0 document as is touched here. */
interface Document {
  paths: object;
  components: object;
}

const SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key (`npx ingesta keys new`), or a JWT of the issuer that the gateway trusts.',
  },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'An API key, for clients that cannot set `Authorization`.',
  },
};

const failure = (description: string, headers: Record<string, unknown> = {}) => ({
  description,
  headers,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorBody' } } },
});

const text = (description: string) => ({ description, schema: { type: 'string' } });

const ANSWERS = {
  401: failure('`UNAUTHENTICATED`: no key or token, or none that counts', {
    'WWW-Authenticate': text('How to say who you are.'),
  }),
  403: failure('`FORBIDDEN`: the key or token does not reach so far'),
  429: failure('`RATE_LIMITED`, `TOO_MANY_RUNS`: come back later', {
    'Retry-After': text('Seconds to wait.'),
    RateLimit: text('What is left of a limit, and when it begins anew.'),
    'RateLimit-Policy': text('The limits there are.'),
  }),
};

/** The document with the ways to say who one is, and what follows where one does not. `isGuarded`: whether one must. */
export function withSecurity<D extends Document>(document: D, isGuarded: boolean): D {
  const security = [{ bearer: [] }, { apiKey: [] }, ...(isGuarded ? [] : [{}])];
  const paths = Object.entries(document.paths as Record<string, Record<string, Operation>>).map(
    ([path, operations]) => {
      const secured = Object.entries(operations).map(([method, operation]) => {
        if (isAlwaysOpen(path)) return [method, { ...operation, security: [] }];
        return [method, { ...operation, security, responses: { ...ANSWERS, ...operation.responses } }];
      });
      return [path, Object.fromEntries(secured)];
    },
  );
  const components = { ...document.components, securitySchemes: SCHEMES };
  return { ...document, components, paths: Object.fromEntries(paths) };
}
