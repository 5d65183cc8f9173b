import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** An S3 server in memory, as far as small objects go: PUT with If-None-Match, and GET. */
export interface S3StandIn {
  /** The settings of a lake there. */
  readonly env: Record<string, string>;
  readonly objects: Map<string, Buffer>;
  /** The key of every PUT. */
  readonly puts: string[];
  /** Whether it deals with this PUT, the last of `puts`, itself: then nothing is stored. */
  meddle: (key: string, answer: ServerResponse) => boolean;
  close(): Promise<void>;
}

/** Says as S3 does that something failed. */
export const refuse = (answer: ServerResponse, status: number, code: string) =>
  answer.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);

const etagOf = (body: Buffer) => ({ etag: `"${createHash('md5').update(body).digest('hex')}"` });

/** Starts one. */
export async function startS3StandIn(): Promise<S3StandIn> {
  const server = createServer(async (incoming, answer) => {
    const { method, url, headers } = incoming;
    const body = await buffer(incoming);
    const key = decodeURIComponent(new URL(url!, 'http://s3').pathname).replace('/bucket/', '');
    const stored = s3.objects.get(key);
    if (method === 'GET')
      return stored ? answer.writeHead(200, etagOf(stored)).end(stored) : refuse(answer, 404, 'NoSuchKey');
    if (method !== 'PUT') return refuse(answer, 501, 'NotImplemented');
    s3.puts.push(key);
    if (s3.meddle(key, answer)) return answer;
    if (stored && headers['if-none-match']) return refuse(answer, 412, 'PreconditionFailed');
    s3.objects.set(key, body);
    return answer.writeHead(200, etagOf(body)).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const s3: S3StandIn = {
    env: {
      ...{ AWS_BUCKET_NAME: 'bucket', AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_S3: endpoint },
      ...{ AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'of the lake' },
    },
    objects: new Map(),
    puts: [],
    meddle: () => false,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return s3;
}
