import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nginxProgram } from '../../services/need';
import { freePort, startServer } from '../../services/server-process';

const SHIPPED = join(__dirname, '../../../deploy/nginx/nginx.conf');

/** A real nginx before the gateways, with the configuration that the deployment has. */
export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The folder with `fullchain.pem` and `privkey.pem`, and where to listen with them. */
export interface Tls {
  folder: string;
  port: number;
}

/**
 * Starts it in front of these addresses. `readTimeoutS`: after so long without an answer to a POST it gives up. With `tls` it is
 * as docs/operations.md says to make it.
 */
export async function startNginx(
  folder: string,
  upstreams: readonly string[],
  readTimeoutS: number,
  tls?: Tls,
): Promise<Balancer> {
  const home = join(folder, 'nginx');
  await mkdir(home);
  const port = await freePort();
  await writeFile(join(home, 'nginx.conf'), await shippedFor({ home, port, upstreams, readTimeoutS, tls }));
  const url = `http://127.0.0.1:${port}`;
  const { stop } = await startServer(
    {
      command: nginxProgram(),
      args: ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'error.log')],
      cwd: home,
      logFile: join(home, 'out.log'),
    },
    () => fetch(`${url}/livez`),
  );
  return { url, stop };
}

interface Place {
  home: string;
  port: number;
  upstreams: readonly string[];
  readTimeoutS: number;
  tls: Tls | undefined;
}

/** The shipped configuration with other addresses and folders. Throws where it has not what is to be replaced. */
async function shippedFor({ home, port, upstreams, readTimeoutS, tls }: Place): Promise<string> {
  const servers = upstreams.map((url) => `server ${new URL(url).host} max_fails=0;`).join('\n');
  const changes: [RegExp, string][] = [
    // First: the folders that come in below may lie in /tmp.
    [/\/tmp\//g, `${home}/`],
    [/^worker_processes auto;$/m, 'daemon off; master_process off;'],
    [/^worker_rlimit_nofile .*$/m, ''],
    // Docker's name server, which there is none of here; Debian's nginx knows no `resolve` in an upstream.
    [/^ +resolver .*$/m, ''],
    [/(^ +server \S+ resolve .*$\n)+/gm, `${servers}\n`],
    [/listen 80;/, `listen 127.0.0.1:${port};`],
    [/proxy_read_timeout 3700s;/, `proxy_read_timeout ${readTimeoutS}s;`],
    [/\/dev\/stderr/, join(home, 'error.log')],
    [/\/dev\/stdout/, join(home, 'access.log')],
  ];
  if (tls) {
    changes.push(
      [/^( +)# (?=listen 443|ssl_)/gm, '$1'],
      [/listen 443 /, `listen 127.0.0.1:${tls.port} `],
      [/\/etc\/nginx\/tls/g, tls.folder],
    );
  }
  return changes.reduce(
    (text, [pattern, replacement]) => {
      const changed = text.replace(pattern, replacement);
      if (changed === text) throw new Error(`${SHIPPED} has nothing like ${pattern}`);
      return changed;
    },
    await readFile(SHIPPED, 'utf8'),
  );
}
