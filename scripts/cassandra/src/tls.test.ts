import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CassandraNode, startTlsNode } from '../../../test/services/cassandra';
import { createAuthority, createCertificate } from '../../../test/services/certificates';
import { findProgram, runCommand } from '../../../test/services/command';
import { describeWith } from '../../../test/services/need';
import { testContext } from '../../kit/src/testing/test-context';
import { cassandra } from './source';
import { sourceEnv } from './testing/test-keyspace';

const PASSWORD = 'Pw-123456';

describeWith(['cassandra'], 'a Cassandra source over TLS', () => {
  let folder: string;
  let node: CassandraNode | undefined;
  /** PEM texts: of the node's authority, and of one that has nothing to do with it. */
  const authorities = { right: '', wrong: '' };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-cassandra-tls-'));
    authorities.right = await createAuthority(folder, 'right');
    authorities.wrong = await createAuthority(folder, 'wrong');
    await createCertificate(folder, 'right', 'DNS:localhost');
    const pair = ['-in', 'server.pem', '-inkey', 'server.key', '-out', 'server.p12', '-passout', `pass:${PASSWORD}`];
    await runCommand(findProgram('openssl')!, ['pkcs12', '-export', ...pair], { cwd: folder });
    node = await startTlsNode(join(folder, 'server.p12'), PASSWORD);
    if (!node) throw new Error('The jars of Cassandra are not here: run with INGESTA_TEST_INSTALL=1');
  }, 180_000);
  afterAll(async () => {
    await node?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const attempt = async (mode: string, host: string, ca = '', port = node!.port) => {
    const env = {
      ...sourceEnv('system_auth'),
      CASSANDRA_HOST: host,
      CASSANDRA_PORT: String(port),
      CASSANDRA_USER: 'cassandra',
      CASSANDRA_PASSWORD: 'cassandra',
      CASSANDRA_KEYSPACE: 'nowhere',
      CASSANDRA_SSL_MODE: mode,
      CASSANDRA_SSL_CA: ca,
      CASSANDRA_CONNECT_TIMEOUT: '5',
    };
    const failure = await cassandra.connect(env, testContext()).catch((error: unknown) => error);
    // It has logged in, and asked.
    if ((failure as Error).message === 'There is no keyspace nowhere') return 'connected';
    throw failure;
  };
  const refusal = {
    code: 'SOURCE_CONFIG',
    exitCode: 64,
    message: expect.stringMatching(/TLS handshake .* failed/),
    hint: expect.stringContaining('CASSANDRA_SSL_CA'),
  };

  it('require encrypts and checks no certificate', async () => {
    expect(await attempt('require', 'localhost')).toBe('connected');
    expect(await attempt('require', '127.0.0.1', authorities.wrong)).toBe('connected');
  });

  it('says what to set where the node speaks TLS only, or not at all', async () => {
    await expect(attempt('disable', '127.0.0.1')).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      hint: expect.stringContaining('CASSANDRA_SSL_MODE'),
    });
    const { CASSANDRA_PORT } = sourceEnv('any');
    await expect(attempt('require', '127.0.0.1', '', Number(CASSANDRA_PORT))).rejects.toMatchObject({
      code: expect.stringMatching(/^SOURCE_(CONFIG|UNAVAILABLE)$/),
      hint: expect.stringContaining('CASSANDRA_SSL_MODE'),
    });
  });

  it('verify-ca wants the authority, as PEM text or as a path, and compares no name', async () => {
    expect(await attempt('verify-ca', '127.0.0.1', authorities.right)).toBe('connected');
    expect(await attempt('verify-ca', '127.0.0.1', `# ours\n${authorities.right}`)).toBe('connected');
    expect(await attempt('verify-ca', '127.0.0.1', join(folder, 'right.pem'))).toBe('connected');
    await expect(attempt('verify-ca', '127.0.0.1', authorities.wrong)).rejects.toMatchObject(refusal);
    await expect(attempt('verify-ca', '127.0.0.1')).rejects.toMatchObject(refusal);
  });

  it('verify-full wants one of the names given, too', async () => {
    expect(await attempt('verify-full', 'localhost', authorities.right)).toBe('connected');
    expect(await attempt('verify-full', '127.0.0.1,localhost', authorities.right)).toBe('connected');
    await expect(attempt('verify-full', 'localhost', authorities.wrong)).rejects.toMatchObject(refusal);
    await expect(attempt('verify-full', '127.0.0.1', authorities.right)).rejects.toMatchObject(refusal);
  });

  it('names a path that cannot be read, and repeats nothing that is no path', async () => {
    const absent = join(folder, 'absent.pem');
    await expect(attempt('verify-ca', '127.0.0.1', absent)).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: `CASSANDRA_SSL_CA: cannot read ${absent} (ENOENT)`,
    });
    await expect(attempt('verify-ca', '127.0.0.1', 'key: s3cret\nb: 2')).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: 'CASSANDRA_SSL_CA: neither PEM text nor a path',
    });
  });
});
