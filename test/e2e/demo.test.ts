import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describeWith } from '../services/need';
import { ROOT } from './harness/gateway';

/** Runs the built demo until it says that it waits for Ctrl-C. */
async function runDemo(
  env: Record<string, string>,
): Promise<{ demo: ChildProcess; said: string; exit: Promise<number | null> }> {
  const demo = spawn(process.execPath, [join(ROOT, 'demo/dist/main.js')], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => demo.once('exit', (code) => resolve(code)));
  let said = '';
  demo.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  for await (const line of createInterface(demo.stdout!)) {
    said += `${line}\n`;
    if (line.startsWith('Ctrl-C')) return { demo, said, exit };
  }
  throw new Error(`The demo ended with ${await exit}: ${said}`);
}

const listening = (url: string) =>
  fetch(`${url}/livez`).then(
    (response) => response.ok,
    () => false,
  );

/** Makes sure that somebody has port 8000. */
async function occupyUsualPort(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.listen(8000, '127.0.0.1', resolve);
  });
  return server;
}

async function expectWholeDemo(env: Record<string, string>, how: RegExp): Promise<void> {
  const server = await occupyUsualPort();
  try {
    const { demo, said, exit } = await runDemo(env);
    expect(said).toMatch(how);
    expect(said).toContain('"status": "success"');
    expect(said).toContain('mysql, cassandra, ventas: no embedded server, so they come as files');
    expect(said).toMatch(/through the source files \(SOURCES=mysql=files:\S+,cassandra=files:\S+,ventas=files:\S+\)/);
    const files = [...said.matchAll(/"url": "(file:[^"]+)"/g)].map(([, url]) => new URL(url!));
    expect(files).toHaveLength(3);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    const url = /Swagger UI\s+(\S+)\/docs/.exec(said)![1]!;
    expect(url).not.toBe('http://127.0.0.1:8000');
    expect(await listening(url)).toBe(true);
    const again = await fetch(`${url}/api/ingesta/postgresql`, {
      method: 'POST',
      body: '{"tables":["products"],"format":"csv.gz"}',
    });
    expect(await again.json()).toMatchObject({ status: 'success', result: { products: { registros: 17 } } });
    const routes = [...said.matchAll(/^ {2}curl (http\S+\/(?:analytics\/\S+|ventas\/\S+))$/gm)].map(
      ([, route]) => route!,
    );
    expect(routes).toHaveLength(10);
    for (const route of routes) {
      const answer = await fetch(route);
      expect({ route, status: answer.status, body: await answer.json() }).toMatchObject({ status: 200 });
    }

    demo.kill('SIGINT');
    expect(await exit).toBe(0);
    expect(await listening(url)).toBe(false);
  } finally {
    server.close();
  }
}

describe('npm run demo', () => {
  it('works without Docker, twice in a row, with its usual port in use', async () => {
    const noDocker = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
    await expectWholeDemo(noDocker, /Scripts run as processes: no Docker engine answers/);
    await expectWholeDemo(noDocker, /Scripts run as processes/);
  }, 300_000);
});

describeWith(['docker'], 'npm run demo with Docker', () => {
  it('runs the script in a container', async () => {
    await expectWholeDemo(
      { NODE_IMAGE: process.env.INGESTA_TEST_NODE_IMAGE! },
      // Also where there are images already: they may be older than the gateway.
      /Building the script images …\n[\s\S]*Scripts run in containers/,
    );
  }, 300_000);

  it('says why it takes processes when the image cannot be built', async () => {
    await expectWholeDemo(
      { IMAGE_PREFIX: 'ingesta-absent-', NODE_IMAGE: 'ingesta-absent/node:0' },
      /Scripts run as processes: the script images could not be built/,
    );
  }, 300_000);
});
