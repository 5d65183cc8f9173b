import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loopbackVariables, openLake, readDatasets } from '@ingesta/kit';
import { version } from '../package.json';
import { AnalyticsService } from './analytics/analytics-service';
import { createEngine } from './analytics/engines/index';
import { tablesRead } from './analytics/pack-facts';
import { PackError } from './analytics/packs/pack-error';
import { Snapshots } from './analytics/snapshots';
import { CatchUp } from './analytics/twins/catch-up';
import { PublishedTwins } from './analytics/twins/published-twins';
import { createApp } from './app';
import { firstFolder } from './bundle-folder';
import { checkedPacks, checkShippedPacks } from './check-packs';
import { childEnv, lakeEnv } from './child-surroundings';
import { type Config, ConfigError, parseConfig } from './config';
import { ApiError } from './errors';
import { HealthService } from './health/health-service';
import { OpenRequests } from './http/open-requests';
import { Submissions } from './ingest/idempotency';
import { deploymentOf } from './ingest/job';
import { reap } from './ingest/reaper';
import { RunsService } from './ingest/runs-service';
import { credentialsFor, lakeFolder } from './ingest/script-access';
import { IngestService } from './ingest/service';
import { createLog, type Log, secretValues } from './log';
import { Metrics } from './metrics/metrics';
import { createRunner } from './runners/index';
import type { Runner } from './runners/runner';
import { Patrol } from './runs/patrol';
import { probeLake } from './runs/probe-lake';
import { Sweeper } from './runs/sweep/sweeper';
import { VerifierChild } from './runs/verifier/verifier-child';
import { secretsOf } from './secrets/index';
import { needsAuthentication } from './security/security-config';
import { ShippedSources } from './sources/shipped-sources';
import { SourcesService } from './sources/sources-service';

/** Runs under way get this long to stop cleanly; orchestrators kill after 10 s. */
const SHUTDOWN_MS = 9_000;
/** Answers under way get this long, queries above all: readers must not notice a restart. */
const DRAIN_MS = 6_000;
/** What the probe of the lake gets to come to its end. */
const PROBE_MS = 2_000;
/** For those who send slowly to hold connections; how long an answer takes is not limited. */
const TIMEOUTS: ServerOptions = {
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
};

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  if (process.argv.includes('--healthcheck')) return healthcheck(process.env.PORT || '8000');

  if (process.argv.includes('--check-packs')) return checkShippedPacks();

  const config = parseConfig(process.env);
  const log = createLog(config.logLevel, secretValues(config.env));
  const metrics = new Metrics(version);
  const lake = once(() => openLake(config.env));
  const runner = await createRunner(config, new ShippedSources(scriptsFolder(config)), lake);
  const secrets = secretsOf(config);
  const gateway = gatewayName();
  const sweeper = new Sweeper({
    graceMs: config.sweepGraceSeconds * 1000,
    keepSnapshots: config.keepSnapshots,
    log,
  });
  const proven = onceWell(async () => {
    const opened = await lake();
    const { mayDelete } = await probeLake(opened, gateway);
    if (!mayDelete) sweeper.turnOff('this gateway may not delete objects of the lake (s3:DeleteObject)');
    return opened;
  });
  const engines = createEngine(config, __dirname, log);
  const { catalog } = engines;
  const packs = await checkedPacks(config, engines.checker);
  const snapshots = new Snapshots(lake);
  const read = tablesRead(packs);
  const twins = new PublishedTwins({
    maker: engines.twins,
    lake,
    wants: (database, table) => catalog !== null || (read.get(database)?.includes(table) ?? false),
    afterwards: async (manifest, signal) => catalog?.publishToCatalog(manifest, signal),
    log,
  });
  const catchUp = new CatchUp({ lake: proven, snapshots, twins, log });
  const recovered = (database: string) => void catchUp.one(database);
  const caughtUp = onceWell(async () => {
    if (catalog !== null || read.size > 0) await catchUp.all();
  });
  const verifier = new VerifierChild({
    program: join(__dirname, 'verifier.js'),
    lakeEnv: lakeEnv(config.env),
    env: childEnv(config.env),
  });
  const ingestion = new IngestService({
    config,
    gateway,
    lake: proven,
    runner,
    log,
    credentials: credentialsFor(config),
    secrets,
    lakeFolder: () => lakeFolder(config.env),
    datasets: (database) => readDatasets(config.datasetsDir, database),
    ...(config.verify === 'full' && { verifier }),
    published: (manifest) => twins.published(manifest),
    recovered,
    metrics,
  });
  const patrol = new Patrol({
    lake: proven,
    gateway,
    ttlMs: config.leaseTtlSeconds * 1000,
    isBusy: (database) => ingestion.isBusy(database),
    recovered,
    afterwards: () => {
      // Nobody waits for either: they may be stopped in the middle.
      void caughtUp().catch((error: Error) =>
        log.debug('what follows publications is looked after in the next round', { cause: error.message }),
      );
      void proven().then(
        (opened) => sweeper.round(opened),
        () => undefined,
      );
      return reap({ runner, lake, deployment: deploymentOf(config.env), isOwn: (id) => ingestion.isOwn(id), log });
    },
    log,
  });
  const submissions = new Submissions({ ingestion, lake, leaseTtlMs: config.leaseTtlSeconds * 1000 });
  const runs = new RunsService({ lake, ingestion });
  const sources = new SourcesService({ config, runner, lake, secrets });
  const analytics = new AnalyticsService({ packs, engine: engines.engine, snapshots, twins, config, metrics });
  const health = new HealthService({ config, runner, lake, version, snapshots, packs, twins, catalog });
  metrics.watch({
    runs: () => ingestion.load(),
    data: async () => {
      const { status, data_age_seconds } = await health.data();
      return { lakeUp: status === 'OK', ageSeconds: data_age_seconds };
    },
  });
  const open = new OpenRequests();
  const app = createApp({
    ingestion,
    submissions,
    runs,
    sources,
    health,
    analytics,
    metrics,
    open,
    security: config,
    log,
    assets: __dirname,
  });

  let probe: Promise<unknown> = Promise.resolve();
  const server = createServer({ ...TIMEOUTS, keepAliveTimeout: config.keepAliveSeconds * 1000 }, app);
  server.once('error', (error: NodeJS.ErrnoException) => fail(listenProblem(error, config)));
  server.listen(config.port, config.host, () => {
    const { address, port } = server.address() as AddressInfo;
    log.info('gateway listens', { url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`, version });
    if (!needsAuthentication(config) && loopbackVariables(['host'], { host: config.host }).length === 0) {
      log.warn('whoever reaches this port may run ingestions: API_KEYS or JWT_JWKS_URL sets up authentication');
    }
    void sayHowSourcesRun(config, runner, log);
    probe = proven().then(
      () => patrol.start(),
      (error) => {
        if (error instanceof ApiError) return fail(`${error.message}. ${error.hint}`);
        log.warn('the lake cannot be used now; it is tried again', { cause: (error as Error).message });
        patrol.start();
      },
    );
  });

  const stop = async () => {
    server.close();
    // It would leave its object and an upload behind; a silent lake is not waited for.
    await Promise.race([probe, sleep(PROBE_MS)]);
    await Promise.all([ingestion.stop(), patrol.stop(), runner.close(), twins.close(), open.drain(DRAIN_MS)]);
    await engines.close();
    server.closeAllConnections();
  };
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Not `once`: a second signal must not end us in the middle of cleaning up.
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      log.info('shutting down', { signal });
      setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
      void stop().then(() => process.exit(0));
    });
  }
}

/** What records call this gateway: tells gateways of one lake apart, and one's lives too. */
const gatewayName = () => `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;

/** Tells for each source which runner takes it and why, so that nobody has to guess at 3 a.m. */
async function sayHowSourcesRun(config: Config, runner: Runner, log: Log): Promise<void> {
  try {
    await runner.check();
    for (const listing of await runner.list()) {
      if (!listing.present)
        log.warn(`source ${listing.name} cannot run`, { reference: listing.reference, hint: listing.hint });
      else {
        const source = await runner.resolve(listing.name);
        const found =
          source.runner === 'docker'
            ? 'Docker answers and the image is there'
            : 'no Docker or no image; its bundle is there';
        const why = config.runner === 'auto' ? found : `RUNNER=${config.runner}`;
        log.info(`source ${listing.name} runs as ${source.runner}`, { reference: source.reference, why });
      }
    }
  } catch (error) {
    log.warn('no source can run now', { cause: (error as Error).message });
  }
}

/** The scripts' folders: as configured, the repository's, or the descriptions that came with the image. */
function scriptsFolder(config: Config): string | null {
  if (config.scriptsDir) return config.scriptsDir;
  return firstFolder('../../scripts', 'sources');
}

async function healthcheck(port: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/livez`, { signal: AbortSignal.timeout(4000) }).catch(() => null);
  process.exit(answer?.ok ? 0 : 1);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** As `once`, but a failure is forgotten: the next call tries again. */
function onceWell<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

function listenProblem(error: NodeJS.ErrnoException, { host, port }: Config): string {
  if (error.code === 'EADDRINUSE') return `Port ${port} on ${host} is taken: set PORT to another one`;
  return `Cannot listen on ${host}:${port}: ${error.message}`;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

main().catch((error: unknown) =>
  fail(
    error instanceof ConfigError || error instanceof PackError
      ? error.message
      : String((error as Error).stack ?? error),
  ),
);
