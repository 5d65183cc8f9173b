import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openLake } from '@ingesta/kit';
import { version } from '../package.json';
import { createApp } from './app';
import { type Config, ConfigError, parseConfig } from './config';
import { HealthService } from './health/health-service';
import { lakeFolder, scriptCredentials } from './ingest/script-access';
import { IngestService } from './ingest/service';
import { createLog, type Log, secretValues } from './log';
import { createRunner } from './runners/index';
import type { Runner } from './runners/runner';
import { Timestamps } from './runs/timestamps';
import { ShippedSources } from './sources/shipped-sources';
import { SourcesService } from './sources/sources-service';

/** Runs under way get this long to stop cleanly; orchestrators kill after 10 s. */
const SHUTDOWN_MS = 9_000;

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  if (process.argv.includes('--healthcheck')) return healthcheck(process.env.PORT || '8000');

  const config = parseConfig(process.env);
  const log = createLog(config.logLevel, secretValues(config.env));
  const runner = await createRunner(config, new ShippedSources(scriptsFolder(config)));
  const lake = once(() => openLake(config.env));
  const ingestion = new IngestService({
    config,
    lake,
    runner,
    log,
    timestamps: new Timestamps(),
    credentials: () => scriptCredentials(config.env),
    lakeFolder: () => lakeFolder(config.env),
  });
  const sources = new SourcesService({ config, runner, lake });
  const health = new HealthService({ config, runner, lake, version });
  const app = createApp({ ingestion, sources, health, log, assets: __dirname });

  const server = app.listen(config.port, config.host, (error?: Error) => {
    if (error) return fail(listenProblem(error as NodeJS.ErrnoException, config));
    const { address, port } = server.address() as AddressInfo;
    log.info('gateway listens', { url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`, version });
    void sayHowSourcesRun(config, runner, log);
  });
  // Longer than the usual 60 s of balancers, so that they close idle connections first.
  server.keepAliveTimeout = 65_000;

  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Not `once`: a second signal must not end us in the middle of cleaning up.
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      log.info('shutting down', { signal });
      setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
      server.close();
      void Promise.all([ingestion.stop(), runner.close()]).then(() => {
        server.closeAllConnections();
        process.exit(0);
      });
    });
  }
}

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
  return [join(__dirname, '../../scripts'), join(__dirname, 'sources')].find((folder) => existsSync(folder)) ?? null;
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

function listenProblem(error: NodeJS.ErrnoException, { host, port }: Config): string {
  if (error.code === 'EADDRINUSE') return `Port ${port} on ${host} is taken: set PORT to another one`;
  return `Cannot listen on ${host}:${port}: ${error.message}`;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

main().catch((error: unknown) =>
  fail(error instanceof ConfigError ? error.message : String((error as Error).stack ?? error)),
);
