import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command';

const NEW_KEY = ['-newkey', 'rsa:2048', '-nodes'];

/** A certificate authority of one test's own, in `folder`; answers its certificate as PEM text. */
export async function createAuthority(folder: string, name: string): Promise<string> {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
  await runCommand('openssl', ['req', '-x509', '-days', '2', ...NEW_KEY, '-subj', `/CN=${name}`, ...files], {
    cwd: folder,
  });
  return readFile(join(folder, `${name}.pem`), 'utf8');
}

/** `server.pem` and `server.key` in `folder`, signed by the authority there, for a name such as `DNS:localhost`. */
export async function createCertificate(folder: string, authority: string, subject: string): Promise<void> {
  await writeFile(join(folder, 'server.ext'), `subjectAltName=${subject}\n`);
  const request = ['req', ...NEW_KEY, '-subj', '/CN=server', '-keyout', 'server.key', '-out', 'server.csr'];
  await runCommand('openssl', request, { cwd: folder });
  const signer = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-set_serial', '1', '-days', '2'];
  const files = ['-in', 'server.csr', '-extfile', 'server.ext', '-out', 'server.pem'];
  await runCommand('openssl', ['x509', '-req', ...signer, ...files], { cwd: folder });
}
