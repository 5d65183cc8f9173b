import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../../../errors';
import { parseTrinoJson } from './trino-json';

export interface TrinoSettings {
  /** `https://trino.example:8443` */
  url: string;
  catalog: string;
  schema: string;
  user: string;
  /** Null where Trino asks for none. */
  password: string | null;
}

/** What Trino answers to each request of a query, as far as it is read here. */
export interface TrinoPage {
  id: string;
  /** Where the next page is; absent on the last one. */
  nextUri?: string;
  columns?: { name: string; typeSignature: { rawType: string } }[];
  data?: (string | number | boolean | null)[][];
  error?: { message: string; errorName: string };
}

/** Of one request. Trino holds an answer back for about a second while there is nothing to tell. */
const ANSWER_MS = 60_000;
/** What balancers in front of Trino say when they, or it, are busy: the protocol asks to try again. */
const BUSY = [429, 502, 503, 504];
const TRIES = 8;

/**
 * Trino's client protocol: https://trino.io/docs/current/develop/client-protocol.html. The published client for Node
 * loses digits of large integers and has no way to end a request, and the protocol is this small.
 */
export class TrinoProtocol {
  constructor(private readonly settings: TrinoSettings) {}

  /** Submits a statement. Trino begins with it when its first page is asked for. */
  async submit(sql: string): Promise<TrinoPage> {
    return this.#page('POST', '/v1/statement', AbortSignal.timeout(ANSWER_MS), sql);
  }

  /** The next page. Throws the signal's reason when aborted; the query goes on. */
  async next(uri: string, signal: AbortSignal): Promise<TrinoPage> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    try {
      return await this.#page('GET', uri, limited);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Kills the query whose next page is here. */
  async cancel(uri: string): Promise<void> {
    const response = await this.#request('DELETE', uri, AbortSignal.timeout(ANSWER_MS));
    await response.body?.cancel();
  }

  async #page(method: string, uri: string, signal: AbortSignal, body?: string): Promise<TrinoPage> {
    const response = await this.#request(method, uri, signal, body);
    const text = await response.text().catch((error) => this.#silent(error));
    if (response.ok) return parseTrinoJson(text) as TrinoPage;
    if ([401, 403].includes(response.status))
      throw new ApiError('LAKE_DENIED', `${this.#place} refused the user ${this.settings.user}`, {
        hint: 'Check TRINO_USER and TRINO_PASSWORD. Trino takes passwords over https only.',
        cause: new Error(text.slice(0, 500)),
      });
    throw new ApiError('LAKE_UNAVAILABLE', `${this.#place} answered with status ${response.status}`, {
      hint: 'Is TRINO_URL that of a Trino coordinator?',
      cause: new Error(text.slice(0, 500)),
    });
  }

  async #request(method: string, uri: string, signal: AbortSignal, body?: string): Promise<Response> {
    // Behind a balancer Trino may call itself something else; and our password is for nobody but TRINO_URL.
    const { pathname, search } = new URL(uri, this.settings.url);
    const url = new URL(pathname + search, this.settings.url);
    const init: RequestInit = { method, headers: this.#headers, signal, redirect: 'error' };
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(url, body === undefined ? init : { ...init, body }).catch((error) =>
        this.#silent(error),
      );
      if (!BUSY.includes(response.status) || attempt === TRIES) return response;
      await response.body?.cancel();
      await sleep(50 * 2 ** attempt, undefined, { signal });
    }
  }

  get #place(): string {
    return `Trino at ${new URL(this.settings.url).origin}`;
  }

  #silent(cause: Error): never {
    throw new ApiError('LAKE_UNAVAILABLE', `${this.#place} gives no answer`, {
      hint: 'Is it running, and TRINO_URL right?',
      cause,
    });
  }

  get #headers(): Record<string, string> {
    const { catalog, schema, user, password } = this.settings;
    return {
      'X-Trino-User': user,
      'X-Trino-Source': 'ingesta',
      'X-Trino-Catalog': catalog,
      'X-Trino-Schema': schema,
      'X-Trino-Time-Zone': 'UTC',
      // Else timestamps come in milliseconds, whatever their type.
      'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
      'X-Trino-Session': `${catalog}.timestamp_precision=MICROSECONDS`,
      ...(password !== null && {
        Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      }),
    };
  }
}
