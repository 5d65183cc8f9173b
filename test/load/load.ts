import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How much is asked of a gateway. */
export interface LoadPlan {
  followers: number;
  /** GETs of `/health` a second, whatever the gateway makes of the ones before. */
  perSecond: number;
  seconds: number;
}

/** What came of it. */
export interface LoadFigures {
  /** Followers whose stream was open from before the first GET until after the last. */
  followed: number;
  asked: number;
  /** Answers other than 200, broken connections, and streams that ended, by what happened; empty where nothing did. */
  failures: Record<string, number>;
  /** Of the GETs, in ms. */
  median: number;
  p99: number;
  longest: number;
}

/** As many connections at once as the machine can open in one go. */
const OPENING = 50;

/** Follows a run with many callers and asks for `/health` at a steady rate meanwhile; the run must outlast it. */
export async function putLoad(url: string, runId: string, plan: LoadPlan): Promise<LoadFigures> {
  const failures: Record<string, number> = {};
  const failed = (what: string) => {
    failures[what] = (failures[what] ?? 0) + 1;
  };
  const streams = await openStreams(`${url}/api/ingesta/runs/${runId}/events`, plan.followers, failed);
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  const total = plan.perSecond * plan.seconds;
  const from = performance.now();
  while (pending.length < total) {
    // By the clock, not by the answers: a gateway that falls behind gets its load all the same.
    const due = Math.min(total, Math.floor(((performance.now() - from) / 1000) * plan.perSecond));
    while (pending.length < due) pending.push(health(`${url}/health`, agent, times, failed));
    await sleep(5);
  }
  await Promise.all(pending);
  const followed = streams.filter((stream) => stream.alive()).length;
  for (const stream of streams) stream.close();
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
  return { followed, asked: total, failures, median: at(0.5), p99: at(0.99), longest: at(1) };
}

interface Stream {
  alive(): boolean;
  close(): void;
}

async function openStreams(url: string, count: number, failed: (what: string) => void): Promise<Stream[]> {
  const streams: Stream[] = [];
  while (streams.length < count) {
    const some = Math.min(OPENING, count - streams.length);
    streams.push(...(await Promise.all(Array.from({ length: some }, () => openStream(url, failed)))));
  }
  return streams;
}

/** Resolves when the first bytes have come. */
function openStream(url: string, failed: (what: string) => void): Promise<Stream> {
  return new Promise((resolve) => {
    let alive = true;
    let closing = false;
    const end = (what: string) => {
      if (closing || !alive) return;
      alive = false;
      failed(`stream: ${what}`);
      resolve(stream);
    };
    const request = get(url, { agent: false }, (response: IncomingMessage) => {
      if (response.statusCode !== 200) end(String(response.statusCode));
      response.once('data', () => resolve(stream));
      response.on('end', () => end('ended'));
      response.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
      response.resume();
    });
    request.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    const stream = {
      alive: () => alive,
      close: () => {
        closing = true;
        request.destroy();
      },
    };
  });
}

function health(url: string, agent: Agent, times: number[], failed: (what: string) => void): Promise<void> {
  const from = performance.now();
  return new Promise((resolve) => {
    const request = get(url, { agent }, (response) => {
      if (response.statusCode !== 200) failed(`GET: ${response.statusCode}`);
      response.resume();
      response.once('close', () => {
        times.push(performance.now() - from);
        resolve();
      });
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      failed(`GET: ${error.code ?? error.message}`);
      resolve();
    });
  });
}
