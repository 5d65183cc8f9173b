import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

/** One call to S3, as the proxy sees it. */
export interface S3Call {
  readonly method: string;
  /** Key without the bucket, decoded. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

/** An answer of the server, read whole. */
export interface S3Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** One call in a fault's hands: it is executed only where `forward` is called. */
export interface Exchange {
  readonly call: S3Call;
  /** What the caller sends. */
  body(): Promise<Buffer>;
  /** Has the server execute the call. */
  forward(): Promise<S3Answer>;
  /** Has the server get the first bytes of the call and no more, and breaks both connections. */
  breakMidway(): Promise<void>;
  reply(answer: S3Answer): void;
  /** Breaks the caller's connection. */
  breakOff(): void;
}

export type Fault = (exchange: Exchange) => Promise<void> | void;
export type Match = (call: S3Call) => boolean;

/** A server between a gateway with its scripts and S3. It changes nothing until it is told to. */
export interface S3Proxy {
  readonly port: number;
  /** Every call so far, `PUT key`, in order. */
  readonly calls: string[];
  /** Lets `fault` have the next `times` calls that match. Resolves when the first of them has been dealt with. */
  strike(match: Match, fault: Fault, times?: number): Promise<void>;
  /** Forgets every fault. */
  calm(): void;
  /** Breaks every connection and takes no call until `mend`. */
  cut(): void;
  mend(): void;
  /** What callers may send, in bytes a second; null for no limit. */
  throttle(bytesPerSecond: number | null): void;
  close(): Promise<void>;
}

interface Strike {
  match: Match;
  fault: Fault;
  left: number;
  done: () => void;
}

/** Starts a proxy to `upstream`. The Host header is passed on: the signature covers it. */
export async function startS3Proxy(upstream: URL, listen = '127.0.0.1'): Promise<S3Proxy> {
  const agent = new Agent({ keepAlive: true });
  const calls: string[] = [];
  let strikes: Strike[] = [];
  let isCut = false;
  let rate: number | null = null;

  const send = (incoming: IncomingMessage, url: string) =>
    request({
      agent,
      host: upstream.hostname,
      port: upstream.port,
      method: incoming.method,
      path: url,
      headers: incoming.headers,
    });

  const passOn = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const forwarded = send(incoming, incoming.url!);
    outgoing.on('close', () => outgoing.writableFinished || forwarded.destroy());
    const answered = once(forwarded, 'response') as Promise<[IncomingMessage]>;
    answered.catch(() => undefined);
    await pipeline(incoming, (chunks: AsyncIterable<Buffer>) => slowly(chunks, rate), forwarded);
    const [answer] = await answered;
    outgoing.writeHead(answer.statusCode!, answer.headers);
    await pipeline(answer, outgoing);
  };

  const give = async (strike: Strike, call: S3Call, incoming: IncomingMessage, outgoing: ServerResponse) => {
    let body: Promise<Buffer> | undefined;
    const read = () => {
      body ??= buffer(incoming);
      return body;
    };
    await strike.fault({
      call,
      body: read,
      forward: async () => {
        const whole = await read();
        const forwarded = send(incoming, incoming.url!);
        const answered = once(forwarded, 'response') as Promise<[IncomingMessage]>;
        forwarded.end(whole);
        const [answer] = await answered;
        return { status: answer.statusCode!, headers: answer.headers, body: await buffer(answer) };
      },
      breakMidway: async () => {
        const forwarded = send(incoming, incoming.url!);
        forwarded.on('error', () => undefined);
        const [chunk] = (await once(incoming, 'data')) as [Buffer];
        await new Promise<void>((sent) => forwarded.write(chunk, () => sent()));
        forwarded.destroy();
        incoming.socket.destroy();
      },
      reply: ({ status, headers, body }) => {
        outgoing.writeHead(status, headers);
        outgoing.end(call.method === 'HEAD' ? undefined : body);
      },
      breakOff: () => incoming.socket.destroy(),
    });
    strike.done();
  };

  const server = createServer((incoming, outgoing) => {
    if (isCut) return void incoming.socket.destroy();
    const call = callOf(incoming);
    calls.push(`${call.method} ${call.key}`);
    const strike = strikes.find(({ left, match }) => left > 0 && match(call));
    if (strike) strike.left -= 1;
    const handled = strike ? give(strike, call, incoming, outgoing) : passOn(incoming, outgoing);
    // A connection that broke, on purpose or because its caller was killed: nobody is left to be told.
    handled.catch(() => incoming.destroy());
  });
  server.listen(0, listen);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    strike: (match, fault, times = 1) =>
      new Promise((done) => {
        strikes.push({ match, fault, left: times, done });
      }),
    calm: () => {
      strikes = [];
    },
    cut: () => {
      isCut = true;
      server.closeAllConnections();
    },
    mend: () => {
      isCut = false;
    },
    throttle: (bytesPerSecond) => {
      rate = bytesPerSecond;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

function callOf({ method = '', url = '', headers }: IncomingMessage): S3Call {
  const { pathname, searchParams: query } = new URL(url, 'http://s3');
  return { method, key: decodeURIComponent(pathname.split('/').slice(2).join('/')), query, headers };
}

async function* slowly(chunks: AsyncIterable<Buffer>, bytesPerSecond: number | null) {
  for await (const chunk of chunks) {
    if (bytesPerSecond !== null) await new Promise((done) => setTimeout(done, (chunk.length / bytesPerSecond) * 1000));
    yield chunk;
  }
}
