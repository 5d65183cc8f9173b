import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely.
  readonly body: any;
}

/** Somebody who calls one address. */
export interface Caller {
  readonly url: string;
  post(database?: string, init?: RequestInit): Promise<Answer>;
  get(path: string): Promise<Answer>;
  cancel(runId: string): Promise<Answer>;
  /** Starts a run and does not wait for it: its id. */
  begin(database?: string): Promise<string>;
  /** Waits until the run is over: its record. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into records freely.
  endOf(runId: string): Promise<any>;
}

/** `headers` go with every call that brings none of its own. */
export function callerOf(url: string, headers: Record<string, string> = {}): Caller {
  const call = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(url + path, { headers, ...init });
    const text = await response.text();
    const json = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  };
  const post: Caller['post'] = (database = 'postgresql', init = {}) =>
    call(`/api/ingesta/${database}`, { method: 'POST', ...init });
  const find = (runId: string) => call(`/api/ingesta/runs/${runId}`);
  return {
    url,
    post,
    get: (path) => call(path),
    cancel: (runId) => call(`/api/ingesta/runs/${runId}`, { method: 'DELETE' }),
    begin: async (database) => {
      const { status, body } = await post(database, { headers: { prefer: 'respond-async' } });
      if (status !== 202) throw new Error(`${status}: ${JSON.stringify(body)}`);
      return body.run_id;
    },
    endOf: async (runId) => {
      for (;;) {
        const { status, body } = await find(runId);
        if (status === 200 && body.state !== 'running') return body;
        await sleep(100);
      }
    },
  };
}
