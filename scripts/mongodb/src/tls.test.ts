import { mkdir, readFile, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { findProgram } from '../../../test/services/command';
import { installedMongod } from '../../../test/services/mongodb';
import { freePort, startServer } from '../../../test/services/server-process';
import { openSession } from '../../kit/src/testing/open-session';
import { testContext } from '../../kit/src/testing/test-context';
import { createTlsFolder, LARGE_ROWS, LARGE_TABLE, type TlsFolder, tlsSuite } from '../../kit/src/testing/tls-suite';
import { mongodb } from './source';

const PROGRAM = installedMongod();
const PASSWORD = 'Pw-123456';

/** An installed program alone can be set up in one way everywhere. */
const describeWithMongod = PROGRAM && findProgram('openssl') ? describe : describe.skip;

describeWithMongod('MongoDB over TLS [mongodb]', () => {
  let folder: TlsFolder;
  let tlsPort: number;
  let plainPort: number;
  const servers: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    folder = await createTlsFolder('DNS:localhost');
    const at = (name: string) => join(folder.path, name);
    const both = await Promise.all(['server.key', 'server.pem'].map((file) => readFile(at(file), 'utf8')));
    await writeFile(at('both.pem'), both.join(''));
    const tls = ['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', at('both.pem')];
    tlsPort = await start('tls', [
      ...tls,
      ...['--tlsCAFile', at('right.pem'), '--tlsAllowConnectionsWithoutCertificates'],
    ]);
    plainPort = await start('plain', []);
    const admin = new MongoClient(`mongodb://tls:${PASSWORD}@127.0.0.1:${tlsPort}/?directConnection=true`, {
      tls: true,
      tlsAllowInvalidCertificates: true,
      runtimeAdapters: { os },
    });
    const documents = LARGE_ROWS.map(([id, t]) => ({ _id: id as never, t }));
    await admin.db('datos').collection(LARGE_TABLE).insertMany(documents);
    await admin.close(true);
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
    await folder?.remove();
  });

  /** A server of its own, with one user who may read everything. */
  async function start(name: string, options: string[]): Promise<number> {
    const port = await freePort();
    await mkdir(join(folder.path, name));
    const place = [
      '--dbpath',
      join(folder.path, name),
      '--port',
      String(port),
      '--bind_ip',
      '127.0.0.1',
      '--nounixsocket',
    ];
    const args = [...place, '--wiredTigerCacheSizeGB', '0.25', '--auth', '--quiet', ...options];
    const ready = async () => {
      const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
        serverSelectionTimeoutMS: 2_000,
        ...(options.length > 0 && { tls: true, tlsAllowInvalidCertificates: true }),
        runtimeAdapters: { os },
      });
      try {
        // Before there is a user, this machine may do one thing: make the first one.
        await client.db('admin').command({ createUser: 'tls', pwd: PASSWORD, roles: ['readWriteAnyDatabase'] });
      } finally {
        await client.close(true);
      }
    };
    const logFile = join(folder.path, `${name}.log`);
    servers.push(await startServer({ command: PROGRAM!, args, cwd: folder.path, logFile }, ready));
    return port;
  }

  const envOf = (env: Record<string, string>) => {
    const parts = { MONGO_PORT: String(tlsPort), MONGO_USER: 'tls', MONGO_PASSWORD: PASSWORD, MONGO_DATABASE: 'x' };
    return { ...parts, MONGO_CONNECT_TIMEOUT: '30', ...env };
  };
  const attempt = async (env: Record<string, string>) => {
    const session = await mongodb.connect(envOf(env), testContext());
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

  tlsSuite({
    variable: 'MONGO_SSL_CA',
    named: 'localhost',
    unnamed: '127.0.0.1',
    refusal,
    folder: () => folder,
    attempt: over,
    open: (mode, host, ca) => {
      const env = { MONGO_HOST: host, MONGO_SSL_MODE: mode, MONGO_SSL_CA: ca, MONGO_DATABASE: 'datos' };
      return openSession(mongodb, envOf(env));
    },
  });

  it('without TLS the server hangs up, and the hint says so', async () => {
    await expect(over('disable', '127.0.0.1')).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      hint: expect.stringContaining('MONGO_SSL_MODE=require'),
    });
  });

  it('a server that is no replica set has no snapshot, and does not call it one', async () => {
    const env = { MONGO_HOST: '127.0.0.1', MONGO_SSL_MODE: 'require', MONGO_DATABASE: 'datos' };
    const { session, rows } = await openSession(mongodb, envOf(env));
    expect(await rows(LARGE_TABLE)).toHaveLength(LARGE_ROWS.length);
    expect(session.consistency).toBe('none');
    await session.close();
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
    const file = `&tls=true&tlsCAFile=${encodeURIComponent(join(folder.path, 'right.pem'))}`;
    expect(await attempt(uri('localhost', file))).toBe(0);
    expect(await attempt({ ...uri('localhost', file), MONGO_SSL_CA: folder.wrong })).toBe(0);
    expect(await attempt({ ...uri('localhost', '&tls=true'), MONGO_SSL_CA: folder.right })).toBe(0);
    const settings = { MONGO_SSL_MODE: 'verify-full', MONGO_SSL_CA: folder.right };
    expect(await attempt({ ...uri('localhost'), ...settings })).toBe(0);
    await expect(attempt({ ...uri('127.0.0.1'), ...settings })).rejects.toMatchObject(refusal);
  });
});
