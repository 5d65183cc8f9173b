import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nginxProgram } from '../../services/need';
import { freePort, startServer } from '../../services/server-process';

/** A real nginx before the gateways, as the deployment's is: it spreads the calls and never repeats a POST. */
export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it in front of these addresses. `readTimeoutS`: after so long without an answer it gives up on a call. */
export async function startNginx(
  folder: string,
  upstreams: readonly string[],
  readTimeoutS: number,
): Promise<Balancer> {
  const home = join(folder, 'nginx');
  await mkdir(home);
  const port = await freePort();
  const servers = upstreams.map((url) => `server ${new URL(url).host} max_fails=1 fail_timeout=1s;`).join(' ');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${home}/${name};`,
  );
  const config = `
    daemon off; master_process off; pid ${home}/pid; error_log ${home}/error.log;
    events { worker_connections 512; }
    http {
      access_log off; ${temporary.join(' ')}
      upstream gateways { ${servers} }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://gateways; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
          proxy_connect_timeout 1s; proxy_read_timeout ${readTimeoutS}s;
        }
      }
    }`;
  await writeFile(join(home, 'nginx.conf'), config);
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
