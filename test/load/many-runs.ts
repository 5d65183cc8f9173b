import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayProcess, startGateway } from '../services/gateway-process';

/** What a gateway holds after its garbage was collected. */
export interface Held {
  readonly rssMb: number;
  readonly heapMb: number;
  /** Files and sockets. */
  readonly descriptors: number;
  /** Timers, servers, sockets, children: what Node waits for. */
  readonly resources: number;
}

/** A gateway that can be asked what it holds, with sources whose runs are quick. */
export interface WatchedGateway extends GatewayProcess {
  /** So many runs, as many at a time as there are sources; throws where one does not publish. */
  run(runs: number): Promise<void>;
  held(): Promise<Held>;
}

const SOURCES = ['one', 'two', 'three', 'four'];
/** What is open while somebody is at work goes away within this. */
const SETTLED_MS = 60_000;

/** Starts the built gateway of `root` in `folder`, on the lake that `settings` name. */
export async function startWatched(
  root: string,
  folder: string,
  settings: Record<string, string>,
): Promise<WatchedGateway> {
  const files = join(folder, 'in');
  mkdirSync(files);
  writeFileSync(join(files, 'people.csv'), 'id,name\n1,Ana\n2,Luis\n');
  const prefixes = SOURCES.map((name) => `${name.toUpperCase()}_`);
  const all = {
    RUNNER: 'process',
    PACKS: 'none',
    SOURCES: SOURCES.map((name, at) => `${name}=files:${prefixes[at]}`).join(','),
    ...Object.fromEntries(prefixes.map((prefix) => [`${prefix}FILES_PATH`, files])),
    ...settings,
  };
  const flags = ['--expose-gc', '--require', join(root, 'test/load/memory-on-signal.cjs')];
  const gateway = await startGateway(root, folder, all, flags);
  const run = async (runs: number) => {
    const turns = Array.from({ length: runs }).keys();
    const worker = async (source: string) => {
      for (const _ of turns) await post(`${gateway.url}/api/ingesta/${source}`);
    };
    await Promise.all(SOURCES.map(worker));
  };
  let looks = 0;
  const held = async (): Promise<Held> => {
    looks += 1;
    process.kill(gateway.pid, 'SIGUSR2');
    for (;;) {
      await sleep(50);
      const found = readMemory(join(dirname(gateway.logFile), 'memory.json'));
      if (found?.look !== looks) continue;
      const mb = (bytes: number) => Math.round(bytes / 1e5) / 10;
      const descriptors = readdirSync(`/proc/${gateway.pid}/fd`).length;
      return { rssMb: mb(found.rss), heapMb: mb(found.heapUsed), descriptors, resources: found.resources };
    }
  };
  return { ...gateway, run, held };
}

/** What is held when no more of it goes away, or no more than `before`. */
export async function settled(gateway: WatchedGateway, before?: Held): Promise<Held> {
  let now = await gateway.held();
  const more = () => before && (now.descriptors > before.descriptors || now.resources > before.resources);
  for (const end = Date.now() + SETTLED_MS; more() && Date.now() < end; now = await gateway.held()) await sleep(500);
  return now;
}

function readMemory(file: string) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { look: number; rss: number; heapUsed: number; resources: number };
  } catch {
    return null; // Nothing was written yet.
  }
}

/** On a connection of its own, which is closed: none is left to be counted. */
function post(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method: 'POST', agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}: ${text}`)),
      );
    });
    asking.on('error', reject);
    asking.end();
  });
}
