import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { UsageError } from './errors';
import type { CommandLine } from './options';

type Env = Readonly<Record<string, string | undefined>>;

export interface Connection {
  url: string;
  key: string | null;
  /** What people should know before the key travels; null if nothing. */
  warning: string | null;
}

const DEFAULT_URL = 'http://127.0.0.1:8000';

/** Where the gateway is, and the key for it: arguments before environment. Throws `UsageError`. */
export function connectionOf({ url, key, keyFile }: CommandLine['connection'], env: Env): Connection {
  const address = parsedUrl(url ?? (env.INGESTA_URL || DEFAULT_URL));
  const found = key ?? fromFile(keyFile) ?? (env.INGESTA_API_KEY || fromFile(env.INGESTA_API_KEY_FILE || null));
  if (found !== null && !/^[\x21-\x7e]+$/.test(found)) {
    throw new UsageError('The API key must be visible ASCII characters only');
  }
  const isOpen = found !== null && address.protocol === 'http:' && !isLoopback(address.hostname);
  const warning = isOpen ? `The API key goes to ${address.host} unencrypted: use https` : null;
  return { url: address.href.replace(/\/+$/, ''), key: found, warning };
}

function parsedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
    throw new UsageError('The gateway’s URL must be like https://gateway.example.com');
  }
  if (url.username || url.password) {
    throw new UsageError('The gateway’s URL must have no user in it: keys go into INGESTA_API_KEY or a file');
  }
  return url;
}

function fromFile(path: string | null): string | null {
  if (path === null) return null;
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8').trim() || null;
  } catch (error) {
    throw new UsageError(`The key file cannot be read: ${(error as Error).message}`);
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
