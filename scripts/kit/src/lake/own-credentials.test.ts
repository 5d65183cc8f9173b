import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lake } from './lake';
import { openLake } from './open-lake';

const LISTING = '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>';

describe('credentials that the AWS SDK finds', () => {
  let folder: string;
  let server: Server;
  let lake: Lake;
  let tokens: unknown[];
  const before = process.env;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-aws-'));
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...others } = before;
    process.env = {
      ...others,
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    tokens = [];
    server = createServer((incoming, outgoing) => {
      tokens.push(incoming.headers['x-amz-security-token']);
      outgoing.writeHead(200, { 'content-type': 'application/xml' }).end(LISTING);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    lake = await openLake({ AWS_BUCKET_NAME: 'bucket', AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` });
    // Only the clock: sockets and timers are real.
    jest.useFakeTimers({
      now: Date.now(),
      doNotFake: [
        'nextTick',
        'setImmediate',
        'setInterval',
        'setTimeout',
        'clearImmediate',
        'clearInterval',
        'clearTimeout',
        'queueMicrotask',
        'performance',
        'hrtime',
      ],
    });
  });
  afterEach(async () => {
    jest.useRealTimers();
    process.env = before;
    await lake.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  const rotateTo = async (token: string) => {
    const text = `[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\naws_session_token = ${token}\n`;
    await writeFile(join(folder, 'fresh'), text);
    await rename(join(folder, 'fresh'), join(folder, 'credentials'));
  };

  it('are looked up again while a lake is open, since a mounted ~/.aws rotates without a word', async () => {
    await rotateTo('one');
    await lake.check();
    await rotateTo('two');
    jest.setSystemTime(Date.now() + 11_000);
    await lake.check();
    expect(tokens).toEqual(['one', 'two']);
  });

  it('go on where ~/.aws is not there for a moment, and not for long', async () => {
    await rotateTo('one');
    await lake.check();
    await rm(join(folder, 'credentials'));
    jest.setSystemTime(Date.now() + 11_000);
    await lake.check();
    jest.setSystemTime(Date.now() + 300_000);
    const told = { kind: 'unavailable', message: expect.stringContaining('none at the moment') };
    await expect(lake.check()).rejects.toMatchObject(told);
    await rotateTo('two');
    await lake.check();
    expect(tokens).toEqual(['one', 'one', 'two']);
  });
});
