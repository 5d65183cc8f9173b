import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { createAuthority, createCertificate } from '../../../test/services/certificates';
import { findProgram } from '../../../test/services/command';
import { installedMongod } from '../../../test/services/mongodb';
import { freePort, startServer } from '../../../test/services/server-process';
import { testContext } from '../../kit/src/testing/test-context';
import { mongodb } from './source';

const PROGRAM = installedMongod();
const PASSWORD = 'Pw-123456';

/** An installed program alone can be set up in one way everywhere. */
const describeWithMongod = PROGRAM && findProgram('openssl') ? describe : describe.skip;

describeWithMongod('MongoDB over TLS [mongodb]', () => {
  let folder: string;
  let tlsPort: number;
  let plainPort: number;
  const servers: { stop(): Promise<void> }[] = [];
  /** PEM texts: of the server's authority, and of one that has nothing to do with it. */
  const authorities = { right: '', wrong: '' };

  beforeAll(async () => {
    folder = await mkdtemp(join(os.tmpdir(), 'ingesta-mongo-tls-'));
    authorities.right = await createAuthority(folder, 'right');
    authorities.wrong = await createAuthority(folder, 'wrong');
    await createCertificate(folder, 'right', 'DNS:localhost');
    const both = await Promise.all(['server.key', 'server.pem'].map((file) => readFile(join(folder, file), 'utf8')));
    await writeFile(join(folder, 'both.pem'), both.join(''));
    const tls = ['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', join(folder, 'both.pem')];
    tlsPort = await start('tls', [
      ...tls,
      ...['--tlsCAFile', join(folder, 'right.pem'), '--tlsAllowConnectionsWithoutCertificates'],
    ]);
    plainPort = await start('plain', []);
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A server of its own, with one user who may read everything. */
  async function start(name: string, options: string[]): Promise<number> {
    const port = await freePort();
    await mkdir(join(folder, name));
    const place = ['--dbpath', join(folder, name), '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket'];
    const args = [...place, '--wiredTigerCacheSizeGB', '0.25', '--auth', '--quiet', ...options];
    const ready = async () => {
      const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
        serverSelectionTimeoutMS: 2_000,
        ...(options.length > 0 && { tls: true, tlsAllowInvalidCertificates: true }),
        runtimeAdapters: { os },
      });
      try {
        await client.db('admin').command({ createUser: 'tls', pwd: PASSWORD, roles: ['readAnyDatabase'] });
      } finally {
        await client.close(true);
      }
    };
    const logFile = join(folder, `${name}.log`);
    servers.push(await startServer({ command: PROGRAM!, args, cwd: folder, logFile }, ready));
    return port;
  }

  const attempt = async (env: Record<string, string>) => {
    const parts = { MONGO_PORT: String(tlsPort), MONGO_USER: 'tls', MONGO_PASSWORD: PASSWORD, MONGO_DATABASE: 'x' };
    const session = await mongodb.connect({ ...parts, MONGO_CONNECT_TIMEOUT: '2', ...env }, testContext());
    try {
      return (await session.list()).length;
    } finally {
      await session.close();
    }
  };
  const over = (mode: string, host: string, ca = '') =>
    attempt({ MONGO_HOST: host, MONGO_SSL_MODE: mode, MONGO_SSL_CA: ca });
  const refusal = {
    code: 'SOURCE_CONFIG',
    exitCode: 64,
    message: expect.stringMatching(/certificate .* is not accepted/),
    hint: expect.stringContaining('MONGO_SSL_CA'),
  };

  it('require encrypts and checks no certificate; without TLS the server hangs up, and the hint says so', async () => {
    expect(await over('require', '127.0.0.1')).toBe(0);
    await expect(over('disable', '127.0.0.1')).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      hint: expect.stringContaining('MONGO_SSL_MODE=require'),
    });
  });

  it('verify-ca wants the authority, as PEM text or as a path, and compares no name', async () => {
    expect(await over('verify-ca', '127.0.0.1', authorities.right)).toBe(0);
    expect(await over('verify-ca', '127.0.0.1', `# ours\n${authorities.right}`)).toBe(0);
    expect(await over('verify-ca', '127.0.0.1', join(folder, 'right.pem'))).toBe(0);
    await expect(over('verify-ca', '127.0.0.1', authorities.wrong)).rejects.toMatchObject(refusal);
    await expect(over('verify-ca', '127.0.0.1')).rejects.toMatchObject(refusal);
  });

  it('verify-full wants the name too', async () => {
    expect(await over('verify-full', 'localhost', authorities.right)).toBe(0);
    await expect(over('verify-full', 'localhost', authorities.wrong)).rejects.toMatchObject(refusal);
    await expect(over('verify-full', '127.0.0.1', authorities.right)).rejects.toMatchObject(refusal);
  });

  it('a server without TLS is a setting to correct', async () => {
    const MONGO_PORT = String(plainPort);
    await expect(attempt({ MONGO_PORT, MONGO_HOST: '127.0.0.1', MONGO_SSL_MODE: 'require' })).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: expect.stringContaining('hung up on TLS'),
      hint: expect.stringContaining('MONGO_SSL_MODE=disable'),
    });
  });

  it('a URI decides on TLS itself, and else takes the settings', async () => {
    const uri = (host: string, options = '') => ({
      MONGO_URI: `mongodb://tls:${PASSWORD}@${host}:${tlsPort}/x?authSource=admin&directConnection=true${options}`,
    });
    const file = `&tls=true&tlsCAFile=${encodeURIComponent(join(folder, 'right.pem'))}`;
    expect(await attempt(uri('localhost', file))).toBe(0);
    expect(await attempt({ ...uri('localhost', file), MONGO_SSL_CA: authorities.wrong })).toBe(0);
    expect(await attempt({ ...uri('localhost', '&tls=true'), MONGO_SSL_CA: authorities.right })).toBe(0);
    const settings = { MONGO_SSL_MODE: 'verify-full', MONGO_SSL_CA: authorities.right };
    expect(await attempt({ ...uri('localhost'), ...settings })).toBe(0);
    await expect(attempt({ ...uri('127.0.0.1'), ...settings })).rejects.toMatchObject(refusal);
  });

  it('names a path that cannot be read, and repeats nothing that is no path', async () => {
    const absent = join(folder, 'absent.pem');
    await expect(over('verify-ca', '127.0.0.1', absent)).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: `MONGO_SSL_CA: cannot read ${absent} (ENOENT)`,
    });
    await expect(over('verify-ca', '127.0.0.1', 'key: s3cret\nb: 2')).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: 'MONGO_SSL_CA: neither PEM text nor a path',
    });
  });
});
