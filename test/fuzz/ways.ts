import { createHash, randomBytes } from 'node:crypto';

/** One way to come to the gateway: what it is told of keys, and what every request brings. */
export interface Way {
  name: string;
  settings: Record<string, string>;
  headers: Record<string, string>;
  /** What the checks expect: everything is allowed, only reading, or nothing at all. */
  may: 'everything' | 'read' | 'nothing';
  /** A header that may ingest, for what has to be there before the first request. */
  first: Record<string, string>;
}

/** Nobody is limited: nearly all requests would end at 429. */
const UNLIMITED = { OPEN_ROUTES: 'docs', RATE_LIMIT: '0', RATE_LIMIT_ADDRESS: '0', AUTH_FAILURES: '10000' };

/** Without authentication, with a key for everything, with one that may only read one source, and with none where one is needed. */
export function ways(): Way[] {
  const [all, reader] = [newKey('admin', '*'), newKey('reader', 'read@ventas')];
  const settings = { ...UNLIMITED, API_KEYS: `${all.entry},${reader.entry}` };
  return [
    { name: 'no authentication', settings: {}, headers: {}, may: 'everything', first: {} },
    { name: 'a key for everything', settings, headers: all.headers, may: 'everything', first: all.headers },
    { name: 'a key that may read one source', settings, headers: reader.headers, may: 'read', first: all.headers },
    { name: 'no key where one is needed', settings, headers: {}, may: 'nothing', first: all.headers },
  ];
}

function newKey(name: string, grants: string) {
  const key = `ing_${randomBytes(32).toString('base64url')}`;
  const digest = createHash('sha256').update(key).digest('hex');
  return { entry: `${name}:${digest}:${grants}`, headers: { Authorization: `Bearer ${key}` } };
}
