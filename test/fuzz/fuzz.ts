import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleLake } from '../analytics/sample-lake';
import { type GatewayProcess, startGateway } from '../services/gateway-process';
import type { Way } from './ways';

/** How the gateway is asked. */
export interface FuzzOptions {
  /** Where the repository is, and this folder in it. */
  root: string;
  /** The program of schemathesis. */
  program: string;
  /** Requests of each route, beside those that cover its document. */
  perRoute: number;
  seed: number;
  way: Way;
  /** Gets what schemathesis prints. */
  print?: (text: string) => void;
}

export interface FuzzFigures {
  cases: number;
  routes: number;
  /** What it found, in its own words; empty where it found nothing. */
  output: string;
  failed: boolean;
}

const CHECKS = [
  ...['no_defect', 'success_documented', 'told_as_json', 'keeps_out', 'status_code_conformance'],
  ...['content_type_conformance', 'response_headers_conformance', 'response_schema_conformance'],
];

/** Asks a gateway of its own, with data and a run in it, whatever its OpenAPI document allows and much that it does not. */
export async function fuzz(options: FuzzOptions): Promise<FuzzFigures> {
  const { way, root } = options;
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-fuzz-'));
  // Every analytics route has its tables.
  const lake = await sampleLake();
  let gateway: GatewayProcess | undefined;
  try {
    await writeDeliveries(folder);
    gateway = await startGateway(root, folder, { ...settingsOf(folder), ...lake.env, ...way.settings });
    const runId = await ingest(gateway.url, way.first);
    const known = { db: ['ventas', 'files', 'mysql'], run_id: [runId] };
    return await ask(options, gateway.url, folder, known);
  } finally {
    await gateway?.stop();
    await lake.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The two tables of the pack `ventas`. */
async function writeDeliveries(folder: string): Promise<void> {
  await mkdir(join(folder, 'files'));
  await writeFile(join(folder, 'files/productos.csv'), 'producto_id,categoria\n1,Ropa\n2,Hogar\n');
  await writeFile(join(folder, 'files/ventas.csv'), 'producto_id,cantidad\n1,3\n2,4\n1,x\n');
}

const settingsOf = (folder: string): Record<string, string> => ({
  RUNNER: 'process',
  FILES_PATH: join(folder, 'files'),
  SOURCES: 'ventas=files:VENTAS_',
  VENTAS_FILES_PATH: join(folder, 'files'),
  LEASE_TTL: '30',
  ANALYTICS_CACHE_DIR: join(folder, 'cache'),
});

async function ingest(url: string, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(`${url}/api/ingesta/ventas`, { method: 'POST', headers });
  const body = (await answer.json()) as { run_id?: string };
  if (!body.run_id) throw new Error(`POST /api/ingesta/ventas: ${answer.status} ${JSON.stringify(body)}`);
  return body.run_id;
}

async function ask(
  { root, program, perRoute, seed, way, print }: FuzzOptions,
  url: string,
  folder: string,
  known: Record<string, string[]>,
): Promise<FuzzFigures> {
  const report = join(folder, 'report.json');
  // Of its own accord it leaves credentials out, or makes them up, where they must be given.
  const checks = [...CHECKS, ...(way.headers.Authorization ? ['ignored_auth'] : [])];
  const args = [
    ...['--no-color', 'run', `${url}/openapi.json`, '--checks', checks.join(',')],
    ...['--phases', 'examples,coverage,fuzzing', '-n', String(perRoute), '--seed', String(seed)],
    ...['--continue-on-failure', '--generation-database', 'none', '--warnings', 'off', '--request-timeout', '60'],
    ...['--report', 'json', '--report-json-path', report],
    ...Object.entries(way.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
  ];
  const child = spawn(program, args, {
    cwd: folder,
    env: {
      ...process.env,
      PYTHONPATH: join(root, 'test/fuzz'),
      PYTHONDONTWRITEBYTECODE: '1',
      SCHEMATHESIS_HOOKS: 'ingesta_checks',
      INGESTA_FUZZ_KNOWN: JSON.stringify(known),
      INGESTA_FUZZ_MAY: way.may,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      print?.(text);
    });
  }
  const [code] = await once(child, 'close');
  const cases = Number(/^\s+([\d,]+) generated/m.exec(output)?.[1]?.replaceAll(',', '') ?? 0);
  const routes = Number(/Tested: (\d+)/.exec(output)?.[1] ?? 0);
  const finished = JSON.parse(await readFile(report, 'utf8').catch(() => '{}')).complete === true;
  return { cases, routes, output, failed: code !== 0 || !finished };
}
