import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AWS_SILENCE } from './aws-silence';
import { awsCredentials, type FoundCredentials, foundCredentials } from './found-credentials';

describe('credentials that the AWS SDK cannot find', () => {
  let folder: string;
  let server: Server;
  let answer: { status: number; body: string };
  const before = process.env;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-aws-'));
    await writeFile(join(folder, 'token'), 'canary');
    server = createServer((_request, response) => {
      response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    process.env = { PATH: before.PATH, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' };
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    process.env = before;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  const failureOf = (status: number, code: string, message: string) => {
    const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    return { status, body: `<ErrorResponse>${error}</ErrorResponse>` };
  };
  const asWebIdentity = (more: Record<string, string> = {}) => {
    Object.assign(process.env, {
      AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'),
      AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/ingesta',
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ...more,
    });
    return { AWS_REGION: 'eu-west-1' };
  };
  const webIdentity = (more: Record<string, string> = {}) => foundCredentials(asWebIdentity(more));

  it('are told as none', async () => {
    const message = 'no AWS credentials were found';
    await expect(foundCredentials({})).rejects.toMatchObject({ name: 'LakeError', kind: 'denied', message });
    await writeFile(join(folder, 'token'), '');
    await expect(foundCredentials({ AWS_PROFILE: 'absent' })).rejects.toMatchObject({ kind: 'denied', message });
  });

  it.each([
    [400, 'ExpiredTokenException', 'Token expired', 'denied', 'have expired', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
    [403, 'AccessDenied', 'Not authorized to perform it', 'denied', 'Not authorized', 'AWS_ROLE_ARN'],
    [400, 'InvalidIdentityToken', 'No OpenIDConnect provider found', 'denied', 'No OpenIDConnect', 'AWS_ROLE_ARN'],
    [503, 'ServiceUnavailable', 'later', 'unavailable', 'STS gives no AWS credentials', 'network'],
    [400, 'ThrottlingException', 'Rate exceeded', 'unavailable', 'STS gives no AWS credentials', 'network'],
  ])('say why where STS answers %s %s', async (status, code, message, kind, told, hint) => {
    answer = failureOf(status, code, message);
    const failure = await webIdentity().catch((error) => error);
    expect(failure).toMatchObject({
      kind,
      message: expect.stringContaining(told),
      hint: expect.stringContaining(hint),
    });
    expect(`${failure.message} ${failure.hint} ${failure.cause}`).not.toContain('canary');
  });

  it('say that STS cannot be reached', async () => {
    const failure = webIdentity({ AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' });
    await expect(failure).rejects.toMatchObject({
      kind: 'unavailable',
      hint: expect.stringContaining('AWS_ENDPOINT_URL_STS'),
    });
  });

  it('say that STS is silent', async () => {
    jest.replaceProperty(AWS_SILENCE, 'socketTimeout', 100);
    server.removeAllListeners('request');
    await expect(webIdentity()).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('timed out'),
    });
  });

  it('are not waited for where a program does not tell them', async () => {
    await mkdir(join(folder, '.aws'));
    await writeFile(join(folder, '.aws/config'), '[default]\ncredential_process = sleep 0.2\n');
    await expect(foundCredentials({}, 20)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('no answer within 0.02 s'),
    });
  });

  describe('any more, after some were found that end in an hour', () => {
    const HOUR_MS = 3_600_000;
    let find: () => Promise<FoundCredentials>;
    beforeEach(async () => {
      find = awsCredentials(asWebIdentity()) as typeof find;
      answer = credentials('first');
      expect(await find()).toMatchObject({ sessionToken: 'first' });
    });

    const credentials = (token: string) => {
      const end = new Date(Date.now() + HOUR_MS).toISOString();
      const keys = `<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>${token}</SessionToken>`;
      const found = `<Credentials>${keys}<Expiration>${end}</Expiration></Credentials>`;
      const result = `<AssumeRoleWithWebIdentityResult>${found}</AssumeRoleWithWebIdentityResult>`;
      return { status: 200, body: `<AssumeRoleWithWebIdentityResponse>${result}</AssumeRoleWithWebIdentityResponse>` };
    };
    const MOMENTS: [string, () => void, string][] = [
      ['STS fails', () => (answer = failureOf(503, 'ServiceUnavailable', 'later')), 'STS gives no AWS credentials'],
      ['nobody gives any', () => delete process.env.AWS_WEB_IDENTITY_TOKEN_FILE, 'gives none at the moment'],
    ];

    it.each(MOMENTS)('go on until their end where %s, and are asked for again', async (_, fail, message) => {
      const before = { ...process.env };
      fail();
      expect(await find()).toMatchObject({ sessionToken: 'first' });
      jest.spyOn(Date, 'now').mockReturnValue(Date.now() + HOUR_MS);
      const told = { kind: 'unavailable', message: expect.stringContaining(message) };
      await expect(find()).rejects.toMatchObject({ name: 'LakeError', ...told });
      jest.restoreAllMocks();
      process.env = before;
      answer = credentials('second');
      expect(await find()).toMatchObject({ sessionToken: 'second' });
    });

    it.each([
      [403, 'AccessDenied', 'Not authorized to perform it', 'Not authorized'],
      [400, 'ExpiredTokenException', 'Token expired', 'have expired'],
    ])('do not go on where STS answers %s %s', async (status, code, message, told) => {
      answer = failureOf(status, code, message);
      await expect(find()).rejects.toMatchObject({ kind: 'denied', message: expect.stringContaining(told) });
    });
  });

  it('say which file cannot be read', async () => {
    const failure = webIdentity({ AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere/token' });
    await expect(failure).rejects.toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('/nowhere/token'),
      hint: expect.stringContaining('AWS_WEB_IDENTITY_TOKEN_FILE'),
    });
  });
});
