import { join } from 'node:path';
import { auth, Client, concurrent } from 'cassandra-driver';
import { startTlsNode } from '../../../test/services/cassandra';
import type { CassandraNode } from '../../../test/services/cassandra-node';
import { findProgram, runCommand } from '../../../test/services/command';
import { describeWith } from '../../../test/services/need';
import { openSession } from '../../kit/src/testing/open-session';
import { testContext } from '../../kit/src/testing/test-context';
import { createTlsFolder, LARGE_ROWS, LARGE_TABLE, type TlsFolder, tlsSuite } from '../../kit/src/testing/tls-suite';
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
    const admin = new Client({
      contactPoints: ['127.0.0.1'],
      protocolOptions: { port: node.port },
      localDataCenter: 'datacenter1',
      authProvider: new auth.PlainTextAuthProvider('cassandra', 'cassandra'),
      sslOptions: { rejectUnauthorized: false },
    });
    const replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    await admin.execute(`CREATE KEYSPACE datos WITH replication = ${replication}`);
    await admin.execute(`CREATE TABLE datos.${LARGE_TABLE} (id int PRIMARY KEY, t text)`);
    const insert = `INSERT INTO datos.${LARGE_TABLE} (id, t) VALUES (?, ?)`;
    await concurrent.executeConcurrent(
      admin,
      insert,
      LARGE_ROWS.map((row) => [...row]),
    );
    await admin.shutdown();
  }, 180_000);
  afterAll(async () => {
    await node?.stop();
    await folder?.remove();
  });

  const envOf = (mode: string, host: string, ca: string, port: number, keyspace: string) => ({
    ...sourceEnv(keyspace),
    CASSANDRA_HOST: host,
    CASSANDRA_PORT: String(port),
    CASSANDRA_USER: 'cassandra',
    CASSANDRA_PASSWORD: 'cassandra',
    CASSANDRA_SSL_MODE: mode,
    CASSANDRA_SSL_CA: ca,
    CASSANDRA_CONNECT_TIMEOUT: '60',
  });
  const attempt = async (mode: string, host: string, ca = '', port = node!.port) => {
    const env = envOf(mode, host, ca, port, 'nowhere');
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
    open: (...how) => openSession(cassandra, envOf(...how, node!.port, 'datos'), ({ name }) => name === LARGE_TABLE),
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
