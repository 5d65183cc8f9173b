import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsError } from './aws-error';
import { awsSettings, SERVICE_SILENCE } from './aws-settings';
import { ecsError } from './runners/ecs-errors';
import { secretsOf } from './secrets/index';
import { givenConfig, givenSource } from './testing/given';

/** Only the clock: sockets and timers are real. */
const REAL: Parameters<typeof jest.useFakeTimers>[0] = {
  doNotFake: [
    ...(['nextTick', 'setImmediate', 'setInterval', 'setTimeout'] as const),
    ...(['clearImmediate', 'clearInterval', 'clearTimeout', 'queueMicrotask', 'performance', 'hrtime'] as const),
  ],
};

describe('clients of AWS without keys in the environment', () => {
  let folder: string;
  let server: Server;
  const tokens: unknown[] = [];
  const before = process.env;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-aws-'));
    process.env = { PATH: before.PATH, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' };
    tokens.length = 0;
    server = createServer((incoming, outgoing) => {
      tokens.push(incoming.headers['x-amz-security-token']);
      outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
      outgoing.end(JSON.stringify({ __type: 'ResourceNotFoundException', message: 'no' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    jest.useRealTimers();
    process.env = before;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });
  const env = () => ({
    USE_SECRETS_MANAGER: 'true',
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });

  it('follow the tokens of ~/.aws, which rotate without a word', async () => {
    process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, 'credentials');
    const rotateTo = (token: string) =>
      writeFile(
        join(folder, 'credentials'),
        `[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\naws_session_token = ${token}\n`,
      );
    jest.useFakeTimers({ now: Date.now(), ...REAL });
    const find = secretsOf(givenConfig(env()));
    await rotateTo('one');
    await find(givenSource());
    await rotateTo('two');
    jest.setSystemTime(Date.now() + 11_000);
    await find(givenSource());
    expect(tokens).toEqual(['one', 'two']);
  });

  it('give up where a service says nothing', async () => {
    jest.replaceProperty(SERVICE_SILENCE, 'socketTimeout', 100);
    server.removeAllListeners('request');
    const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const found = secretsOf(givenConfig({ ...env(), ...keys }))(givenSource());
    await expect(found).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringMatching(/Timeout/),
    });
  });

  it('tell that there are none, whatever they are for', async () => {
    const { credentials } = awsSettings({}, 'GLUE');
    const failure = await (credentials as () => Promise<never>)().catch((error) => error);
    const told = { message: 'no AWS credentials were found', hint: expect.stringContaining('~/.aws') };
    expect(awsError(failure, 'Glue', 'glue:GetTables')).toMatchObject({ code: 'LAKE_DENIED', ...told });
    expect(ecsError(failure, 'ecs:RunTask')).toMatchObject({ code: 'RUNNER_UNAVAILABLE', ...told });
    await expect(secretsOf(givenConfig(env()))(givenSource())).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      ...told,
    });
    expect(tokens).toEqual([]);
  });
});
