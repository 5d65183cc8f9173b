import { Agent, request } from 'node:http';

/** What concurrent callers saw. */
export interface Load {
  callers: number;
  requests: number;
  seconds: number;
  /** Milliseconds from request to the last byte of the answer, in ascending order. */
  times: readonly number[];
}

/** So many callers, each asking again as soon as it has its answer, until `requests` were answered. Throws where one is no 200. */
export async function concurrently(url: string, callers: number, requests: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const times: number[] = [];
  let asked = 0;
  const caller = async () => {
    while (asked < requests) {
      asked += 1;
      const started = performance.now();
      await get(url, agent);
      times.push(performance.now() - started);
    }
  };
  const started = performance.now();
  try {
    await Promise.all(Array.from({ length: callers }, caller));
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - started) / 1000;
  return { callers, requests, seconds, times: times.sort((a, b) => a - b) };
}

/** The value below which so many of a hundred lie. */
export const percentile = (ascending: readonly number[], percent: number): number =>
  ascending[Math.max(0, Math.ceil((ascending.length * percent) / 100) - 1)]!;

/** Asks once and gives the answer's bytes. */
export function get(url: string, agent?: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, (response) => {
      let bytes = 0;
      let text = '';
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (response.statusCode !== 200) text += chunk.toString();
      });
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve(bytes);
        else reject(new Error(`${url} answered ${response.statusCode}: ${text}`));
      });
    });
    sent.once('error', reject);
    sent.end();
  });
}
