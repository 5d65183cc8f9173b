import { BRING_CASSANDRA, startCassandra } from './cassandra';
import { BRING_COMPOSE, composeService } from './compose';
import { BRING_DOCKER, dockerService } from './docker';
import { type Engine, startEngine } from './engine';
import { BRING_HCLFMT, hclfmtService } from './hclfmt';
import { BRING_MONGODB, startMongodb } from './mongodb';
import { BRING_MOTO, startMoto } from './moto';
import { BRING_MYSQL, startMysql } from './mysql';
import { BRING_NAMESPACES, namespacesService } from './namespaces';
import { BRING_PODMAN, startPodman } from './podman';
import { BRING_POSTGRESQL, startPostgresql } from './postgresql';
import { BRING_HAPROXY, BRING_NGINX, BRING_PROMTOOL, haproxyService, nginxService, promtoolService } from './program';
import { BRING_S3, startS3 } from './s3';
import { BRING_SCHEMATHESIS, schemathesisService } from './schemathesis';
import { type MissingService, SERVICE_NAMES, type ServiceHandle, type ServiceName } from './service';
import { BRING_TRINO, startTrino } from './trino';

/** The servers that answer, those that could not be had, and how to end it all. */
export interface StartedServices {
  readonly handles: readonly ServiceHandle[];
  readonly missing: readonly MissingService[];
  stop(): Promise<void>;
}

const BRING: Record<ServiceName, string> = {
  docker: BRING_DOCKER,
  namespaces: BRING_NAMESPACES,
  podman: BRING_PODMAN,
  nginx: BRING_NGINX,
  haproxy: BRING_HAPROXY,
  promtool: BRING_PROMTOOL,
  schemathesis: BRING_SCHEMATHESIS,
  compose: BRING_COMPOSE,
  hclfmt: BRING_HCLFMT,
  postgresql: BRING_POSTGRESQL,
  mysql: BRING_MYSQL,
  mongodb: BRING_MONGODB,
  cassandra: BRING_CASSANDRA,
  s3: BRING_S3,
  moto: BRING_MOTO,
  trino: BRING_TRINO,
};

/** Starts the servers, all of them unless `names` says which. The engine comes first: the others listen on its bridge. */
export async function startServices(names: readonly ServiceName[] = SERVICE_NAMES): Promise<StartedServices> {
  // Settings for somebody else's server: the drivers would heed them in the tests, too.
  for (const name of Object.keys(process.env)) if (/^PG[A-Z]+$/.test(name)) delete process.env[name];
  const handles: ServiceHandle[] = [];
  const missing: MissingService[] = [];
  let engine: Engine | undefined;
  let engineFailure = 'no Docker engine answers';
  if (names.includes('docker')) {
    engine = await startEngine().catch((error: Error) => {
      engineFailure = error.message;
      return undefined;
    });
  }
  const begun = new Map<ServiceName, Promise<ServiceHandle>>();
  const asked = (name: ServiceName): Promise<ServiceHandle> =>
    begun.get(name) ?? Promise.reject(new Error(`it needs ${name}`));
  const start: Record<ServiceName, () => Promise<ServiceHandle>> = {
    docker: () => (engine ? dockerService(engine) : Promise.reject(new Error(engineFailure))),
    namespaces: namespacesService,
    podman: startPodman,
    nginx: nginxService,
    haproxy: haproxyService,
    promtool: promtoolService,
    schemathesis: schemathesisService,
    compose: composeService,
    hclfmt: hclfmtService,
    postgresql: () => startPostgresql(engine),
    mysql: () => startMysql(engine),
    mongodb: () => startMongodb(engine),
    cassandra: () => startCassandra(engine),
    s3: () => startS3(engine),
    moto: startMoto,
    trino: async () => startTrino(await asked('s3'), await asked('moto').catch(() => undefined)),
  };
  // In the order of SERVICE_NAMES: what reads from another one comes after it.
  for (const name of SERVICE_NAMES) if (names.includes(name)) begun.set(name, start[name]());
  await Promise.all(
    names.map(async (name) => {
      try {
        handles.push(await asked(name));
      } catch (error) {
        missing.push({ name, missing: error instanceof Error ? error.message : String(error), bring: BRING[name] });
      }
    }),
  );
  const stop = async (): Promise<void> => {
    const servers = handles.filter((handle) => handle.name !== 'docker');
    await Promise.all(servers.map((handle) => handle.stop()));
    // Last: servers may run in its containers. Stopped also when it had no base image, and so made no handle.
    await engine?.stop();
  };
  return { handles, missing, stop };
}
