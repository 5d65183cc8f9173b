import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startEngine } from '../../test/services/engine';
import { type GatewayProcess, startGateway } from '../../test/services/gateway-process';
import { startSampleDatabase } from './sample-database';
import { prepareImages } from './script-images';
import { heading, say, showCsv, showJson } from './show';

const ROOT = join(__dirname, '../..');
const FOLDER = join(ROOT, '.ingesta', 'demo');
const USUAL_PORT = '8000';
const IMAGE_PREFIX = process.env.IMAGE_PREFIX || 'ingesta-';

/** From nothing to CSVs in a lake: a real database, the gateway, one POST, its result; then it waits for Ctrl-C. */
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

    const images = engine
      ? await prepareImages(ROOT, engine, IMAGE_PREFIX)
      : { ready: false, why: 'no Docker engine answers here' };
    const settings = { ...database.env, LAKE_URL: pathToFileURL(lake).href, IMAGE_PREFIX };
    let gateway = await startOnUsualPort({
      ...settings,
      POSTGRES_HOST: images.ready ? 'host.docker.internal' : '127.0.0.1',
      RUNNER: images.ready ? 'docker' : 'process',
    });
    stops.push(async () => void (await gateway.stop()));
    say(images.ready ? 'Scripts run in containers.' : `Scripts run as processes: ${images.why}.`);

    let answer = await post(gateway);
    if (images.ready && answer.status !== 200) {
      // Rootless engines and remote ones may not reach a database on this machine.
      showJson(answer.body);
      say('The container could not do it on this machine; once more as a process.');
      await gateway.stop();
      gateway = await startOnUsualPort({ ...settings, POSTGRES_HOST: '127.0.0.1', RUNNER: 'process' });
      answer = await post(gateway);
    }
    heading(`curl -X POST ${gateway.url}/api/ingesta/postgresql`);
    showJson(answer.body);
    if (answer.status !== 200) throw new Error(`The ingestion failed; the gateway's log is ${gateway.logFile}`);

    for (const [table, { url }] of Object.entries(answer.body.result as Record<string, { url: string }>)) {
      heading(`${table}: ${url}`);
      await showCsv(new URL(url), 3);
    }
    heading(`curl ${gateway.url}/health`);
    showJson(await (await fetch(`${gateway.url}/health`)).json());

    heading('The gateway is running. Try it:');
    say(`  curl -X POST ${gateway.url}/api/ingesta/postgresql -d '{"tables":["products"],"format":"csv.gz"}'`);
    say(`  curl ${gateway.url}/api/ingesta`);
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

async function post(gateway: GatewayProcess): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${gateway.url}/api/ingesta/postgresql`, { method: 'POST' });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

demo().catch((error: unknown) => {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
