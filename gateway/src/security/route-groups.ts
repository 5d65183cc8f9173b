import type { OpenGroup } from './security-config';

/** Orchestrators ask these, and they tell nothing. */
const ALWAYS_OPEN = ['/livez', '/readyz'];

const GROUPS: readonly [RegExp, OpenGroup][] = [
  [/^\/(health)?$/, 'health'],
  [/^\/(docs|redoc)(\/|$)/, 'docs'],
  [/^\/openapi\.json$/, 'docs'],
  [/^\/metrics$/, 'metrics'],
];

/** What tells of every source at once, so that a right to some of them is not enough. */
const DEPLOYMENT_WIDE = ['/health', '/metrics', '/api/ingesta/health'];

/** As the router compares paths: without regard to case and to one slash at the end. */
const plain = (path: string): string => path.toLowerCase().replace(/(?<=.)\/$/, '');

export function isOpen(path: string, open: readonly OpenGroup[]): boolean {
  const group = GROUPS.find(([pattern]) => pattern.test(plain(path)))?.[1];
  return isAlwaysOpen(path) || (group !== undefined && open.includes(group));
}

export const isAlwaysOpen = (path: string): boolean => ALWAYS_OPEN.includes(plain(path));

export const isDeploymentWide = (path: string): boolean => DEPLOYMENT_WIDE.includes(plain(path));
