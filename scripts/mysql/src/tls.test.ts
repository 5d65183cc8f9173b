import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giveTo, serverAccount } from '../../../test/services/account';
import { createAuthority, createCertificate } from '../../../test/services/certificates';
import { findProgram, runCommand } from '../../../test/services/command';
import { freePort, startServer } from '../../../test/services/server-process';
import { testContext } from '../../kit/src/testing/test-context';
import { mysql } from './source';

const PROGRAM = findProgram('mariadbd');
const PASSWORD = 'Pw-123456';

/** MariaDB alone can be set up in one way everywhere. */
const describeWithMariaDb = PROGRAM && findProgram('openssl') ? describe : describe.skip;

describeWithMariaDb('a MySQL source over TLS [mysql]', () => {
  let folder: string;
  let port: number;
  let server: { stop(): Promise<void> } | undefined;
  /** PEM texts: of the server's authority, and of one that has nothing to do with it. */
  const authorities = { right: '', wrong: '' };

  beforeAll(async () => {
    const account = serverAccount();
    folder = await mkdtemp(join(tmpdir(), 'ingesta-mysql-tls-'));
    const at = (name: string) => join(folder, name);
    authorities.right = await createAuthority(folder, 'right');
    authorities.wrong = await createAuthority(folder, 'wrong');
    await createCertificate(folder, 'right', 'DNS:localhost');
    await writeFile(at('init.sql'), `CREATE USER 'tls'@'%' IDENTIFIED BY '${PASSWORD}' REQUIRE SSL;\n`);
    for (const file of ['', 'server.key', 'server.pem', 'init.sql']) giveTo(account, at(file));
    const data = ['--no-defaults', `--datadir=${at('data')}`];
    const install = [...data, '--auth-root-authentication-method=normal', '--skip-test-db'];
    await runCommand(findProgram('mariadb-install-db', 'mysql_install_db')!, install, { account, cwd: folder });
    port = await freePort();
    const args = [
      ...data,
      `--socket=${at('s')}`,
      `--pid-file=${at('pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      `--init-file=${at('init.sql')}`,
      `--ssl-cert=${at('server.pem')}`,
      `--ssl-key=${at('server.key')}`,
    ];
    const options = { command: PROGRAM!, args, cwd: folder, logFile: at('error.log'), account };
    server = await startServer(options, () => attempt('require', '127.0.0.1'));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const attempt = async (mode: string, host: string, ca = '') => {
    const env = {
      MYSQL_HOST: host,
      MYSQL_PORT: String(port),
      MYSQL_USER: 'tls',
      MYSQL_PASSWORD: PASSWORD,
      MYSQL_DATABASE: 'information_schema',
      MYSQL_SSL_MODE: mode,
      MYSQL_SSL_CA: ca,
    };
    const session = await mysql.connect(env, testContext());
    await session.close();
    return 'connected';
  };
  const refusal = { code: 'SOURCE_CONFIG', message: expect.stringMatching(/TLS handshake .* failed/) };

  it('require encrypts and checks no certificate; the server refuses the user otherwise', async () => {
    expect(await attempt('require', 'localhost')).toBe('connected');
    await expect(attempt('disable', 'localhost')).rejects.toMatchObject({ code: 'SOURCE_AUTH' });
  });

  it('verify-ca wants the authority, as PEM text or as a path, and compares no name', async () => {
    expect(await attempt('verify-ca', '127.0.0.1', authorities.right)).toBe('connected');
    expect(await attempt('verify-ca', '127.0.0.1', `# ours\n${authorities.right}`)).toBe('connected');
    expect(await attempt('verify-ca', '127.0.0.1', join(folder, 'right.pem'))).toBe('connected');
    await expect(attempt('verify-ca', '127.0.0.1', authorities.wrong)).rejects.toMatchObject(refusal);
    await expect(attempt('verify-ca', '127.0.0.1')).rejects.toMatchObject(refusal);
  });

  it('verify-full wants the name too', async () => {
    expect(await attempt('verify-full', 'localhost', authorities.right)).toBe('connected');
    await expect(attempt('verify-full', 'localhost', authorities.wrong)).rejects.toMatchObject(refusal);
    // Another name of the same machine: every resolver takes it, and it is no address by Node's rules.
    await expect(attempt('verify-full', '127.1', authorities.right)).rejects.toMatchObject(refusal);
  });

  it('names a path that cannot be read, and repeats nothing that is no path', async () => {
    const absent = join(folder, 'absent.pem');
    await expect(attempt('verify-ca', '127.0.0.1', absent)).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: `MYSQL_SSL_CA: cannot read ${absent} (ENOENT)`,
    });
    await expect(attempt('verify-ca', '127.0.0.1', 'key: s3cret\nb: 2')).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: 'MYSQL_SSL_CA: neither PEM text nor a path',
    });
  });
});
