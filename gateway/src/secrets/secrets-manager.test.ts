import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { givenConfig, givenSource } from '../testing/given';
import { secretsOf } from './index';

let server: Server;
let answer: { status: number; type: string };
beforeAll(async () => {
  server = createServer((_request, response) => {
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ __type: answer.type, message: 'canary' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const env = () => ({
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
});

it.each([
  [400, 'AccessDeniedException', 'SOURCE_CONFIG', 'secretsmanager:GetSecretValue'],
  [400, 'ExpiredTokenException', 'SOURCE_CONFIG', 'expired'],
  [400, 'DecryptionFailure', 'SOURCE_CONFIG', 'kms:Decrypt'],
  [500, 'InternalServiceError', 'SOURCE_UNAVAILABLE', 'POST again'],
  [400, 'ThrottlingException', 'SOURCE_UNAVAILABLE', 'POST again'],
])('an answer of %s %s is %s', async (status, type, code, hint) => {
  answer = { status, type };
  const found = secretsOf(givenConfig({ ...env(), USE_SECRETS_MANAGER: 'true' }))(givenSource());
  await expect(found).rejects.toMatchObject({ code, hint: expect.stringContaining(hint), database: 'mysql' });
});

it('asks nobody unless told to', async () => {
  answer = { status: 500, type: 'nobody should ask' };
  expect(await secretsOf(givenConfig(env()))(givenSource())).toEqual({});
});
