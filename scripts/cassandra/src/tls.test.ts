import { join } from 'node:path';
import { startTlsNode } from '../../../test/services/cassandra';
import type { CassandraNode } from '../../../test/services/cassandra-node';
import { findProgram, runCommand } from '../../../test/services/command';
import { describeWith } from '../../../test/services/need';
import { testContext } from '../../kit/src/testing/test-context';
import { createTlsFolder, type TlsFolder, tlsSuite } from '../../kit/src/testing/tls-suite';
import { cassandra } from './source';
import { sourceEnv } from './testing/test-keyspace';

const PASSWORD = 'Pw-123456';

describeWith(['cassandra'], 'a Cassandra source over TLS', () => {
  let folder: TlsFolder;
  let node: CassandraNode | undefined;

  beforeAll(async () => {
    folder = await createTlsFolder('DNS:localhost');
    const pair = ['-in', 'server.pem', '-inkey', 'server.key', '-out', 'server.p12', '-passout', `pass:${PASSWORD}`];
    await runCommand(findProgram('openssl')!, ['pkcs12', '-export', ...pair], { cwd: folder.path });
    node = await startTlsNode(join(folder.path, 'server.p12'), PASSWORD);
    if (!node) throw new Error('The jars of Cassandra are not here: run with INGESTA_TEST_INSTALL=1');
  }, 180_000);
  afterAll(async () => {
    await node?.stop();
    await folder?.remove();
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

  tlsSuite({
    variable: 'CASSANDRA_SSL_CA',
    named: 'localhost',
    unnamed: '127.0.0.1',
    refusal: {
      message: expect.stringMatching(/TLS handshake .* failed/),
      hint: expect.stringContaining('CASSANDRA_SSL_CA'),
    },
    folder: () => folder,
    attempt,
  });

  it('verify-full takes any of the names given', async () => {
    expect(await attempt('verify-full', '127.0.0.1,localhost', folder.right)).toBe('connected');
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
});
