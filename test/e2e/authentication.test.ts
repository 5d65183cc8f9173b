import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { client } from './harness/client';
import { startTestGateway, type TestGateway } from './harness/gateway';

let lake: string;
let gateway: TestGateway;
let settings: Record<string, string>;
let keyFile: string;

/** A new key, as an operator makes one. */
async function newKey(name: string, ...grants: string[]): Promise<{ key: string; entry: string }> {
  const flags = grants.flatMap((grant) => ['--grant', grant]);
  const { stdout } = await client(['keys', 'new', name, ...flags, '--json'], {});
  return JSON.parse(stdout);
}

beforeAll(async () => {
  lake = await mkdtemp(join(tmpdir(), 'ingesta-auth-'));
  await mkdir(join(lake, 'in'));
  await writeFile(join(lake, 'in/productos.csv'), 'id,nombre\n1,uno\n');
  const nightly = await newKey('nightly', 'run@files', 'read@files');
  keyFile = join(lake, 'key');
  await writeFile(keyFile, `${nightly.key}\n`, { mode: 0o600 });
  settings = {
    LAKE_URL: pathToFileURL(lake).href,
    FILES_LAKE_PREFIX: 'in',
    RUNNER: 'process',
    PACKS: 'none',
    ENVIRONMENT: 'production',
    API_KEYS: nightly.entry,
  };
  gateway = await startTestGateway(settings);
});
afterAll(async () => {
  await gateway?.stop();
  if (lake) await rm(lake, { recursive: true, force: true });
});

it('does not start in production without authentication', async () => {
  const start = startTestGateway({ ...settings, API_KEYS: '' });
  await expect(start).rejects.toThrow(/ENVIRONMENT=production does not start without authentication: set API_KEYS/);
});

it('lets in who has the key, from a file, and nobody else', async () => {
  const env = { INGESTA_URL: gateway.url };
  const let_in = await client(['run', 'files', '--key-file', keyFile, '--follow'], env);
  expect(let_in).toMatchObject({ code: 0, stdout: expect.stringContaining('files: succeeded') });
  expect(await client(['run', 'files'], env)).toMatchObject({
    code: 77,
    stderr: expect.stringContaining('UNAUTHENTICATED'),
  });
  const strange = await client(['run', 'mysql'], { ...env, INGESTA_API_KEY_FILE: keyFile });
  expect(strange).toMatchObject({
    code: 77,
    stderr: expect.stringContaining('FORBIDDEN: key:nightly may not run on mysql'),
  });
  expect(await gateway.log()).toContain('"requested_by":"key:nightly"');
});

/** The beginning of what the gateway answers to these bytes; empty if it only hangs up. */
function spoken(bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding('latin1').once('data', (text) => {
      resolve(String(text));
      socket.destroy();
    });
    socket.once('close', () => resolve('')).once('error', reject);
  });
}

it.each([
  ['a header that never ends', 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ', '408'],
  ['a body that never comes', 'POST /api/ingesta/files HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n', '401'],
  ['a header without end', `GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(100_000)}`, '431'],
  ['what is not HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', '400'],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    '400',
  ],
  ['a header with a line feed of its own', 'GET /livez HTTP/1.1\r\nHost: x\r\nA: b\nc\r\n\r\n', '400'],
])('answers %s with an error, and goes on', async (_what, bytes, status) => {
  expect(await spoken(Buffer.from(bytes, 'latin1'))).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect((await gateway.get('/livez')).status).toBe(200);
});
