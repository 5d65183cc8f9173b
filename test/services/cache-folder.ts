import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder of one server in the user's cache: what was fetched or built stays there for the next run. */
export const cacheFolder = (service: string): string => inCache('ingesta-services', service);

/** A place in the user's cache. */
export const inCache = (...path: string[]): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), ...path);
