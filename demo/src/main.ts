import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startEngine } from '../../test/services/engine';
import { type GatewayProcess, startGateway } from '../../test/services/gateway-process';
import { DELIVERED, deliverFiles } from './deliveries';
import { startSampleDatabase } from './sample-database';
import { prepareImages } from './script-images';
import { heading, say, showCsv, showJson } from './show';

const ROOT = join(__dirname, '../..');
const FOLDER = join(ROOT, '.ingesta', 'demo');
const USUAL_PORT = '8000';
/** One query of the ten: short, and over two tables. */
const SHOWN_ROUTE = '/cassandra/analytics/claims-payments-correlation';
const IMAGE_PREFIX = process.env.IMAGE_PREFIX || 'ingesta-';

/**
 * From nothing to CSVs in a lake and to answers from them: a real database and files, the gateway, POSTs, their results,
 * a query; then it waits for Ctrl-C.
 */
async function demo(): Promise<void> {
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  let stopRequested = () => {};
  const untilStopped = new Promise<void>((resolve) => {
    stopRequested = resolve;
  });
  // Not `once`: a second Ctrl-C must not end us in the middle of cleaning up. SIGHUP: the terminal was closed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stopRequested);
  // Settings for somebody else's server; the drivers would heed them here, too.
  for (const name of Object.keys(process.env)) if (/^PG[A-Z]+$/.test(name)) delete process.env[name];

  try {
    const lake = join(FOLDER, 'lake');
    mkdirSync(lake, { recursive: true });
    const engine = await startEngine().catch(() => undefined);
    say('Starting an embedded PostgreSQL with sample data …');
    const database = await startSampleDatabase(engine);
    stops.push(database.stop);
    say(`  ${database.how}: ${database.rows.toLocaleString('en-US')} rows in ${database.tables} tables`);

    const delivered = await deliverFiles(lake);
    say(`  ${DELIVERED.join(', ')}: no embedded server, so they come as files:`);
    say(
      `  ${delivered.rows.toLocaleString('en-US')} rows of CSV, through the source files (SOURCES=${delivered.settings.SOURCES})`,
    );

    const images = engine
      ? await prepareImages(ROOT, engine, IMAGE_PREFIX)
      : { ready: false, why: 'no Docker engine answers here' };
    const settings = {
      ...database.env,
      ...delivered.settings,
      LAKE_URL: pathToFileURL(lake).href,
      ANALYTICS_CACHE_DIR: join(FOLDER, 'cache'),
      IMAGE_PREFIX,
    };
    let gateway = await startOnUsualPort({
      ...settings,
      POSTGRES_HOST: images.ready ? 'host.docker.internal' : '127.0.0.1',
      RUNNER: images.ready ? 'docker' : 'process',
    });
    stops.push(async () => void (await gateway.stop()));
    say(images.ready ? 'Scripts run in containers.' : `Scripts run as processes: ${images.why}.`);

    let answer = await post(gateway, 'postgresql');
    if (images.ready && answer.status !== 200) {
      // Rootless engines and remote ones may not reach a database on this machine.
      showJson(answer.body);
      say('The container could not do it on this machine; once more as a process.');
      await gateway.stop();
      gateway = await startOnUsualPort({ ...settings, POSTGRES_HOST: '127.0.0.1', RUNNER: 'process' });
      answer = await post(gateway, 'postgresql');
    }
    heading(`curl -X POST ${gateway.url}/api/ingesta/postgresql`);
    showJson(answer.body);
    if (answer.status !== 200) throw new Error(`The ingestion failed; the gateway's log is ${gateway.logFile}`);

    for (const [table, { url }] of Object.entries(answer.body.result as Record<string, { url: string }>)) {
      heading(`${table}: ${url}`);
      await showCsv(new URL(url), 3);
    }
    for (const source of DELIVERED) {
      heading(`curl -X POST ${gateway.url}/api/ingesta/${source}`);
      await ingestFiles(gateway, source);
    }
    heading(`curl ${gateway.url}/health`);
    showJson(await getJson(`${gateway.url}/health`));

    heading(`curl ${gateway.url}${SHOWN_ROUTE}`);
    showJson(await getJson(`${gateway.url}${SHOWN_ROUTE}`));

    heading('The gateway is running. Try it:');
    say(`  curl -X POST ${gateway.url}/api/ingesta/postgresql -d '{"tables":["products"],"format":"csv.gz"}'`);
    say(`  curl ${gateway.url}/api/ingesta`);
    for (const path of await analyticsPaths(gateway)) say(`  curl ${gateway.url}${path}`);
    say(`  Swagger UI  ${gateway.url}/docs`);
    say(`  ReDoc       ${gateway.url}/redoc`);
    say(`  The lake    ${lake}`);
    say(`  The log     ${gateway.logFile}`);
    say('Ctrl-C stops it.');
    await untilStopped;
  } finally {
    await stopAll();
  }
}

/** On the port people know; on a free one when somebody has it. */
async function startOnUsualPort(settings: Record<string, string>): Promise<GatewayProcess> {
  try {
    return await startGateway(ROOT, FOLDER, { ...settings, PORT: USUAL_PORT });
  } catch (error) {
    if (!String(error).includes(`Port ${USUAL_PORT}`)) throw error;
    say(`Port ${USUAL_PORT} is taken: using another one.`);
    return startGateway(ROOT, FOLDER, settings);
  }
}

async function post(
  gateway: GatewayProcess,
  source: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${gateway.url}/api/ingesta/${source}`, { method: 'POST' });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** In one line per table: these are many. */
async function ingestFiles(gateway: GatewayProcess, source: string): Promise<void> {
  const { status, body } = await post(gateway, source);
  if (status !== 200) {
    showJson(body);
    throw new Error(`The ingestion of ${source} failed; the gateway's log is ${gateway.logFile}`);
  }
  const tables = Object.entries(body.result as Record<string, { registros: number }>);
  say(`  ${tables.map(([table, { registros }]) => `${table} ${registros}`).join(', ')} rows`);
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  const body = await response.json();
  if (!response.ok) throw new Error(`GET ${url} answered ${response.status}: ${JSON.stringify(body)}`);
  return body;
}

/** The routes of the analytics packs, as the API itself lists them. */
async function analyticsPaths(gateway: GatewayProcess): Promise<string[]> {
  const { paths } = (await getJson(`${gateway.url}/openapi.json`)) as {
    paths: Record<string, { get?: { tags?: string[] } }>;
  };
  return Object.entries(paths).flatMap(([path, { get }]) => (get?.tags?.[0]?.startsWith('Analytics') ? path : []));
}

demo().catch((error: unknown) => {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
