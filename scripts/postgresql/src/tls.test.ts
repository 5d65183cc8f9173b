import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giveTo, serverAccount } from '../../../test/services/account';
import { createAuthority, createCertificate } from '../../../test/services/certificates';
import { findProgram, runCommand } from '../../../test/services/command';
import { embeddedFolder, installedFolder, runnableFolder } from '../../../test/services/postgresql-binaries';
import { freePort, startServer } from '../../../test/services/server-process';
import { testContext } from '../../kit/src/testing/test-context';
import { postgresql } from './source';

const PASSWORD = 'Pw-123456';

const describeWithOpenssl = findProgram('openssl') ? describe : describe.skip;

describeWithOpenssl('PostgreSQL over TLS [postgresql]', () => {
  let folder: string;
  let port: number;
  let server: { stop(): Promise<void> } | undefined;
  /** PEM texts: of the server's authority, and of one that has nothing to do with it. */
  const authorities = { right: '', wrong: '' };

  beforeAll(async () => {
    const account = serverAccount();
    folder = await mkdtemp(join(tmpdir(), 'ingesta-pg-tls-'));
    const at = (name: string) => join(folder, name);
    authorities.right = await createAuthority(folder, 'right');
    authorities.wrong = await createAuthority(folder, 'wrong');
    await createCertificate(folder, 'right', 'IP:127.0.0.1');
    await writeFile(at('password'), PASSWORD);
    for (const file of ['', 'server.key', 'server.pem', 'password']) giveTo(account, at(file));
    const bin = await runnableFolder((installedFolder() ?? (await embeddedFolder()))!, account, folder);
    const env = { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C', TZ: 'UTC' };
    const data = ['-D', at('data')];
    const init = [...data, '-U', 'postgres', '-A', 'scram-sha-256', '--no-sync', `--pwfile=${at('password')}`];
    await runCommand(join(bin, 'initdb'), init, { account, env, cwd: folder });
    await writeFile(join(at('data'), 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n');
    port = await freePort();
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'ssl=on',
      `ssl_cert_file=${at('server.pem')}`,
      `ssl_key_file=${at('server.key')}`,
    ];
    const args = [...data, ...settings.flatMap((setting) => ['-c', setting])];
    const options = { command: join(bin, 'postgres'), args, cwd: folder, logFile: at('log'), account, env };
    server = await startServer({ ...options, stopSignal: 'SIGINT' }, () => attempt('require', '127.0.0.1'));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const attempt = async (mode: string, host: string, ca = '') => {
    const env = {
      POSTGRES_HOST: host,
      POSTGRES_PORT: String(port),
      POSTGRES_USER: 'postgres',
      POSTGRES_PASSWORD: PASSWORD,
      POSTGRES_DB: 'postgres',
      POSTGRES_SSL_MODE: mode,
      POSTGRES_SSL_CA: ca,
    };
    const session = await postgresql.connect(env, testContext());
    await session.close();
    return 'connected';
  };
  const refusal = { code: 'SOURCE_CONFIG', message: expect.stringMatching(/certificate .* is not accepted/) };

  it('require encrypts and checks no certificate; the server refuses the user otherwise', async () => {
    expect(await attempt('require', 'localhost')).toBe('connected');
    await expect(attempt('disable', 'localhost')).rejects.toMatchObject({ code: 'SOURCE_AUTH' });
  });

  it('verify-ca wants the authority, as PEM text or as a path, and compares no name', async () => {
    expect(await attempt('verify-ca', 'localhost', authorities.right)).toBe('connected');
    expect(await attempt('verify-ca', 'localhost', `# ours\n${authorities.right}`)).toBe('connected');
    expect(await attempt('verify-ca', 'localhost', join(folder, 'right.pem'))).toBe('connected');
    await expect(attempt('verify-ca', 'localhost', authorities.wrong)).rejects.toMatchObject(refusal);
    await expect(attempt('verify-ca', 'localhost')).rejects.toMatchObject(refusal);
  });

  it('verify-full wants the name too', async () => {
    expect(await attempt('verify-full', '127.0.0.1', authorities.right)).toBe('connected');
    await expect(attempt('verify-full', '127.0.0.1', authorities.wrong)).rejects.toMatchObject(refusal);
    await expect(attempt('verify-full', 'localhost', authorities.right)).rejects.toMatchObject(refusal);
  });

  it('names a path that cannot be read, and repeats nothing that is no path', async () => {
    const absent = join(folder, 'absent.pem');
    await expect(attempt('verify-ca', 'localhost', absent)).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: `POSTGRES_SSL_CA: cannot read ${absent} (ENOENT)`,
    });
    await expect(attempt('verify-ca', 'localhost', 'key: s3cret\nb: 2')).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: 'POSTGRES_SSL_CA: neither PEM text nor a path',
    });
  });
});
