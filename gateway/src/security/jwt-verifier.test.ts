import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { JwtVerifier } from './jwt-verifier';
import { may } from './principal';

const ISSUER = 'https://id.example';
const AUDIENCE = 'ingesta';

/*
 * Seen to fail with each of these taken away on its own: the pinned algorithms, iss, aud, exp (looked at, and required), sub.
 */
let server: Server;
let jwksUrl: string;
let answer: () => { status: number; body: unknown };
let keys: Awaited<ReturnType<typeof generateKeyPair>>;

beforeAll(async () => {
  keys = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'key-1' };
  answer = () => ({ status: 200, body: { keys: [jwk] } });
  server = createServer((_request, response) => {
    const { status, body } = answer();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
});
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

const verifier = (algorithms = ['RS256', 'ES256']) =>
  new JwtVerifier({ jwksUrl, issuer: ISSUER, audience: AUDIENCE, algorithms });

const PAYLOAD: JWTPayload = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'airflow',
  scope: 'openid ingesta:run@mysql ingesta:read',
};

const token = (change: JWTPayload = {}, expires: string | null = '5m') => {
  const jwt = new SignJWT({ ...PAYLOAD, ...change }).setProtectedHeader({ alg: 'RS256', kid: 'key-1' });
  return (expires === null ? jwt : jwt.setExpirationTime(expires)).sign(keys.privateKey);
};

/** A token made by hand, signed by whatever `sign` does with the text. */
const forged = (header: object, sign: (text: string) => string, payload: object = PAYLOAD) => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part(header)}.${part({ exp: Math.floor(Date.now() / 1000) + 300, ...payload })}`;
  return `${text}.${sign(text)}`;
};

it('takes a token of the issuer, with what its scopes grant', async () => {
  const principal = await verifier().verify(await token());
  expect(principal.name).toBe('jwt:airflow');
  expect([may(principal, 'run', 'mysql'), may(principal, 'run', 'other'), may(principal, 'read', '*')]).toEqual([
    true,
    false,
    true,
  ]);
  const scp = await verifier().verify(await token({ scope: undefined, scp: ['ingesta:*'] }));
  expect(may(scp, 'cancel', '*')).toBe(true);
  const none = await verifier().verify(await token({ scope: 'openid run ingesta:nonsense' }));
  expect(none.grants).toEqual([]);
});

it.each<[string, () => Promise<string>]>([
  ['that has expired', () => token({}, '-1m')],
  ['that never expires', () => token({}, null)],
  ['of another issuer', () => token({ iss: 'https://evil.example' })],
  ['for somebody else', () => token({ aud: 'other' })],
  ['of nobody', () => token({ sub: undefined })],
  ['that is not valid yet', () => token({ nbf: Math.floor(Date.now() / 1000) + 3600 })],
  ['without a signature (alg none)', async () => forged({ alg: 'none' }, () => '')],
  ['with a signature of nothing (alg None)', async () => forged({ alg: 'None', kid: 'key-1' }, () => 'AA')],
  [
    'signed with the public key as a secret (key confusion)',
    async () => {
      const pem = await exportSPKI(keys.publicKey);
      return forged({ alg: 'HS256', kid: 'key-1' }, (text) =>
        createHmac('sha256', pem).update(text).digest('base64url'),
      );
    },
  ],
  [
    'that brings its own key',
    async () => {
      const own = await generateKeyPair('RS256', { extractable: true });
      const jwk = await exportJWK(own.publicKey);
      return new SignJWT(PAYLOAD)
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1', jwk, jku: 'http://127.0.0.1:1/keys' })
        .setExpirationTime('5m')
        .sign(own.privateKey);
    },
  ],
  [
    'whose payload was changed',
    async () => (await token()).replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"root"}').toString('base64url')}.`),
  ],
  ['that is junk', async () => 'a.b.c'],
  ['that is empty', async () => '..'],
])('refuses a token %s', async (_what, make) => {
  await expect(verifier().verify(await make())).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    headers: { 'WWW-Authenticate': expect.stringContaining('error="invalid_token"') },
  });
});

it('refuses an algorithm that is not among those chosen, though the key is right', async () => {
  await expect(verifier(['ES256']).verify(await token())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

it('does not blame the token when the issuer is away, and asks again', async () => {
  const well = answer;
  answer = () => ({ status: 500, body: {} });
  const asking = verifier();
  await expect(asking.verify(await token())).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' });
  answer = well;
  await expect(asking.verify(await token())).resolves.toMatchObject({ name: 'jwt:airflow' });
});
