import { GatewayError, Unreachable } from './errors';

/** Failures of a connection that do not pass by waiting. */
const LASTING = /^(ENOTFOUND|ERR_INVALID_URL|ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_SSL_|EPROTO)/;
/** Failures before anything was sent. */
const UNSENT = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)/;
/** Statuses that proxies give in place of a gateway that does not answer. */
const FROM_PROXY = [502, 503, 504];

export interface Call {
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
  signal?: AbortSignal;
}

/** Talks HTTP to one gateway. Every failure is a `GatewayError` or `Unreachable`; an abort of the caller's stays one. */
export class Gateway {
  constructor(
    readonly url: string,
    private readonly key: string | null,
    private readonly userAgent: string,
  ) {}

  /** The answer's JSON and headers. */
  async json<T>(path: string, call: Call = {}): Promise<{ body: T; headers: Headers; status: number }> {
    const response = await this.open(path, { ...call, headers: { Accept: 'application/json', ...call.headers } });
    const text = await this.#text(response, call.signal);
    try {
      return { body: JSON.parse(text) as T, headers: response.headers, status: response.status };
    } catch {
      throw new Unreachable(`${this.url} answers, but not as an Ingesta gateway does`, false, false);
    }
  }

  async text(path: string, signal?: AbortSignal): Promise<string> {
    return this.#text(await this.open(path, signal ? { signal } : {}), signal);
  }

  /** A successful answer whose body nobody has read yet. */
  async open(path: string, { method = 'GET', headers = {}, body, signal }: Call): Promise<Response> {
    const response = await this.#reach(signal, () =>
      fetch(this.url + path, {
        method,
        headers: {
          'User-Agent': this.userAgent,
          ...(this.key === null ? {} : { Authorization: `Bearer ${this.key}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // Followed, a POST would become a GET, and the key might go elsewhere.
        redirect: 'manual',
        ...(signal ? { signal } : {}),
      }),
    );
    if (response.status >= 300 && response.status < 400) {
      const to = response.headers.get('location') ?? 'elsewhere';
      throw new Unreachable(`${this.url} redirects to ${to}: use that address`, false, false);
    }
    if (response.ok) return response;
    throw failureOf(response, await this.#text(response, signal), this.url);
  }

  #text(response: Response, signal?: AbortSignal): Promise<string> {
    return this.#reach(signal, () => response.text());
  }

  async #reach<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      throw unreachable(error, this.url);
    }
  }
}

/** What became of a connection. `fetch` says only that it failed; its cause knows more. */
export function unreachable(error: unknown, url: string): Unreachable {
  const { cause, message } = error as Error;
  const { code = '', message: why } = (cause ?? {}) as { code?: string; message?: string };
  const said = why || message;
  const reason = said.includes(code) ? said : `${code}: ${said}`;
  return new Unreachable(`Cannot reach ${url} (${reason})`, !LASTING.test(code), UNSENT.test(code), error);
}

function failureOf(response: Response, text: string, url: string): GatewayError | Unreachable {
  const { status, headers } = response;
  try {
    const { database, error } = JSON.parse(text);
    if (typeof error.code === 'string' && typeof error.message === 'string') {
      const { code, message, hint = '', run_id = null } = error;
      // Said by the balancer before the gateways.
      if (code === 'GATEWAY_UNAVAILABLE') return new Unreachable(`${url}: ${message}`, true, false);
      return new GatewayError(status, { code, message, hint, run_id }, database ?? null, retryAfterOf(headers));
    }
  } catch {
    // Not a gateway's answer: whoever gave it is named below.
  }
  const isTemporary = FROM_PROXY.includes(status);
  return new Unreachable(`${url} answers ${status}, but not as an Ingesta gateway does`, isTemporary, false);
}

/** Seconds, or a date. */
function retryAfterOf(headers: Headers): number | null {
  const value = headers.get('retry-after');
  if (value === null) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
