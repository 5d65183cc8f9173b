import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** The AWS SDK looks for new credentials so long before the old ones end. */
const AHEAD_MS = 300_000;
/** What credentials last beyond that. */
const FRESH_MS = 1_500;
const INSTANCE_PATH = '/latest/meta-data/iam/security-credentials/';

/** Where credentials came from. */
export type Issuer = 'instance' | 'task' | 'AssumeRole' | 'AssumeRoleWithWebIdentity' | 'file';

/** One call to S3. */
export interface LakeCall {
  readonly method: string;
  readonly path: string;
  /** Who gave out the session token that it was signed with. */
  readonly issuer: Issuer;
}

/** AWS as far as credentials matter: those who give them out, and an S3 server that takes no others. */
export interface AwsIdentity {
  readonly url: string;
  /** What the metadata of a task asks for. */
  readonly taskToken: string;
  /** Every call that S3 took. */
  readonly calls: LakeCall[];
  /** Who gave credentials out, each time. */
  readonly issued: Issuer[];
  /** The text of a credentials file with a session token of its own. */
  credentialsFile(): string;
  /** Ends all credentials that are out, at the moment when the SDK has begun to look for others. */
  expire(): Promise<void>;
  /** Calls that match find that their credentials have ended; null for none. */
  stale: ((call: LakeCall) => boolean) | null;
  close(): Promise<void>;
}

/** `upstream` is moto's address: S3, and STS as far as it gives out keys. */
export async function startAwsIdentity(upstream: string, listen = '127.0.0.1'): Promise<AwsIdentity> {
  const { hostname, port } = new URL(upstream);
  const tokens = new Map<string, { issuer: Issuer; expired: boolean }>();
  const sessions = new Set<string>();
  const calls: LakeCall[] = [];
  const issued: Issuer[] = [];

  const register = (issuer: Issuer, token: string) => {
    tokens.set(token, { issuer, expired: false });
    issued.push(issuer);
    return new Date(Date.now() + AHEAD_MS + FRESH_MS).toISOString();
  };
  const give = (answer: ServerResponse, issuer: Issuer) => {
    const Token = randomUUID();
    const Expiration = register(issuer, Token);
    const keys = { AccessKeyId: 'ASIAIOSFODNN7EXAMPLE', SecretAccessKey: 'secret', Token, Expiration };
    answer.end(JSON.stringify({ Code: 'Success', ...keys }));
  };
  const refuse = (answer: ServerResponse, status: number, code: string, message: string) =>
    answer.writeHead(status, { 'content-type': 'application/xml' }).end(
      // Of S3, and of STS.
      `<ErrorResponse><Code>${code}</Code><Message>${message}</Message><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
  const passOn = (incoming: IncomingMessage) => {
    const { method, url, headers } = incoming;
    const forwarded = request({ hostname, port, method, path: url, headers });
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      forwarded.on('response', resolve).on('error', reject),
    );
    return { forwarded, answered };
  };

  /** The metadata service of an instance, version 2. */
  const instance = ({ method, url, headers }: IncomingMessage, answer: ServerResponse) => {
    if (method === 'PUT') {
      const session = randomUUID();
      sessions.add(session);
      return answer.end(session);
    }
    if (!sessions.has(String(headers['x-aws-ec2-metadata-token']))) return answer.writeHead(401).end();
    if (url === INSTANCE_PATH) return answer.end('ingesta-gateway');
    return url === `${INSTANCE_PATH}ingesta-gateway` ? give(answer, 'instance') : answer.writeHead(404).end();
  };

  const sts = async (incoming: IncomingMessage, answer: ServerResponse) => {
    const body = await buffer(incoming);
    const asked = new URLSearchParams(body.toString());
    const issuer = asked.get('Action') as Issuer;
    if (asked.get('WebIdentityToken') === 'ended')
      return refuse(answer, 400, 'ExpiredTokenException', 'Token expired: current date/time must be before it');
    const { forwarded, answered } = passOn(incoming);
    forwarded.end(body);
    const received = await answered;
    const text = (await buffer(received)).toString();
    const end = register(issuer, /<SessionToken>(.+?)<\/SessionToken>/.exec(text)![1]!);
    const changed = text.replace(/<Expiration>.+?<\/Expiration>/, `<Expiration>${end}</Expiration>`);
    return answer.writeHead(received.statusCode!, { 'content-type': 'text/xml' }).end(changed);
  };

  const s3 = async (incoming: IncomingMessage, answer: ServerResponse) => {
    const { method = '', url = '', headers } = incoming;
    const found = tokens.get(String(headers['x-amz-security-token']));
    if (found === undefined) return refuse(answer, 403, 'InvalidToken', 'The provided token is malformed.');
    const call = { method, path: decodeURIComponent(new URL(url, upstream).pathname), issuer: found.issuer };
    if (aws.stale?.(call)) found.expired = true;
    if (found.expired) {
      incoming.resume();
      return refuse(answer, 400, 'ExpiredToken', 'The provided token has expired.');
    }
    calls.push(call);
    const { forwarded, answered } = passOn(incoming);
    incoming.pipe(forwarded);
    const received = await answered;
    answer.writeHead(received.statusCode!, received.headers);
    return received.pipe(answer);
  };

  const server = createServer((incoming, answer) => {
    const { pathname } = new URL(incoming.url!, upstream);
    const handle = async () => {
      if (pathname.startsWith('/latest/')) return instance(incoming, answer);
      if (pathname === '/task')
        return incoming.headers.authorization === aws.taskToken
          ? give(answer, 'task')
          : answer.writeHead(401).end('{"Message":"no"}');
      return incoming.method === 'POST' && pathname === '/' ? sts(incoming, answer) : s3(incoming, answer);
    };
    // A gateway that was stopped in the middle of a call.
    handle().catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, listen, resolve));
  const aws: AwsIdentity = {
    url: `http://${listen}:${(server.address() as AddressInfo).port}`,
    taskToken: randomUUID(),
    calls,
    issued,
    stale: null,
    credentialsFile: () => {
      const token = randomUUID();
      register('file', token);
      return `[default]\naws_access_key_id = ASIA\naws_secret_access_key = s\naws_session_token = ${token}\n`;
    },
    expire: async () => {
      // Those that are given meanwhile are good.
      const old = [...tokens.values()];
      await sleep(FRESH_MS);
      for (const token of old) token.expired = true;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return aws;
}
