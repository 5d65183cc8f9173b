import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

const GOOD: JWTPayload = { iss: 'https://id.example', aud: 'ingesta', sub: 'mallory', scope: 'ingesta:*' };

/** An issuer of tokens, whose keys a gateway with these settings asks for. */
export interface TokenIssuer {
  readonly settings: Record<string, string>;
  /** A token that is as it must be, but for `change`. */
  token(change?: JWTPayload, expires?: string): Promise<string>;
  /** Tokens that somebody without the private key can make, by what is wrong with them. */
  forged(): Promise<[what: string, token: string][]>;
  close(): Promise<void>;
}

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const strange = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one' };
  const server = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const signed = (change: JWTPayload, expires: string, key: typeof privateKey, header: object = {}) =>
    new SignJWT({ ...GOOD, ...change })
      .setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
      .setExpirationTime(expires)
      .sign(key);
  const token: TokenIssuer['token'] = (change = {}, expires = '5m') => signed(change, expires, privateKey);
  return {
    settings: {
      JWT_JWKS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
      JWT_ISSUER: GOOD.iss!,
      JWT_AUDIENCE: String(GOOD.aud),
    },
    token,
    forged: async () => {
      const hmac = (secret: string) => (text: string) => createHmac('sha256', secret).update(text).digest('base64url');
      const own = await exportJWK(strange.publicKey);
      return [
        ['alg none', byHand({ alg: 'none' }, () => '')],
        ['alg NONE, and a signature of something', byHand({ alg: 'NONE', kid: 'one' }, () => 'AA')],
        [
          'HS256 with the public key as its secret',
          byHand({ alg: 'HS256', kid: 'one' }, hmac(await exportSPKI(publicKey))),
        ],
        ['HS256 with the published key as its secret', byHand({ alg: 'HS256', kid: 'one' }, hmac(JSON.stringify(jwk)))],
        ['HS256 without a secret', byHand({ alg: 'HS256' }, hmac(''))],
        ['a key of its own', await signed({}, '5m', strange.privateKey, { jwk: own, jku: 'http://127.0.0.1:1/keys' })],
        ['another payload', (await token()).replace(/\.[^.]+\./, `.${encoded({ ...GOOD, sub: 'root', exp: 9e9 })}.`)],
      ];
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

function byHand(header: object, sign: (text: string) => string): string {
  const text = `${encoded(header)}.${encoded({ ...GOOD, exp: Math.floor(Date.now() / 1000) + 300 })}`;
  return `${text}.${sign(text)}`;
}
