import { MARKERS, type ServiceName } from './service';

/** Where a PostgreSQL or MySQL server is, and the login of its administrator. */
export interface DatabaseEnv {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The server's host as a container names it. */
  readonly dockerHost: string;
  /** The server's log of every statement; a server that was given has none. */
  readonly log?: string;
}

/** Where the S3 server is. */
export interface S3Env {
  readonly endpoint: string;
  readonly dockerEndpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** What containers are made of, and how they reach this machine. */
export interface DockerEnv {
  readonly nodeImage: string;
  /** Where a test's own server listens so that containers reach it as host.docker.internal. */
  readonly listenAddress: string;
}

/**
 * `describe` for tests that need real servers: skipped as a whole when one is missing. The title tells the reporter
 * which (`… [postgresql, s3]`). Call the accessors below inside tests and hooks: skipped bodies are evaluated too.
 */
export function describeWith(services: readonly ServiceName[], title: string, fn: () => void): void {
  const there = services.every((service) => process.env[MARKERS[service]]);
  (there ? describe : describe.skip)(`${title} [${services.join(', ')}]`, fn);
}

/** The PostgreSQL server. */
export const pgEnv = (): DatabaseEnv => databaseEnv('INGESTA_TEST_PG');

/** The MySQL or MariaDB server, or another one that `startMysql` started. */
export const mysqlEnv = (env = process.env): DatabaseEnv => databaseEnv('INGESTA_TEST_MYSQL', env);

/** The MongoDB server, or another one that `startMongod` started: a replica set of one member, whose administrator logs in at `admin`. */
export const mongoEnv = (env = process.env): DatabaseEnv => databaseEnv('INGESTA_TEST_MONGO', env);

/** The Cassandra node. */
export const cassandraEnv = (): DatabaseEnv => databaseEnv('INGESTA_TEST_CASSANDRA');

/** The S3 server. */
export function s3Env(): S3Env {
  return {
    endpoint: required('INGESTA_TEST_S3_ENDPOINT'),
    dockerEndpoint: required('INGESTA_TEST_S3_DOCKER_ENDPOINT'),
    accessKey: required('INGESTA_TEST_S3_ACCESS_KEY'),
    secretKey: required('INGESTA_TEST_S3_SECRET_KEY'),
  };
}

/** Address of the stand-in for AWS's APIs; it takes any credentials. */
export const motoEndpoint = (): string => required('INGESTA_TEST_MOTO_ENDPOINT');

/** Trino's address. Its catalogs: `hive`, and `glue` where moto is there; both read the S3 server. */
export const trinoUrl = (): string => required('INGESTA_TEST_TRINO_URL');

/** The Docker engine. */
export function dockerEnv(): DockerEnv {
  return {
    nodeImage: required('INGESTA_TEST_NODE_IMAGE'),
    listenAddress: process.env.INGESTA_TEST_DOCKER_GATEWAY ?? '127.0.0.1',
  };
}

/** DOCKER_HOST of a rootful Podman, which has no image yet. */
export const podmanHost = (): string => required('INGESTA_TEST_PODMAN');

/** The nginx program, which tests start in front of their gateways. */
export const nginxProgram = (): string => required('INGESTA_TEST_NGINX');

/** The HAProxy program, which tests start before Docker's socket. */
export const haproxyProgram = (): string => required('INGESTA_TEST_HAPROXY');

/** The program that computes Prometheus' expressions. */
export const promtoolProgram = (): string => required('INGESTA_TEST_PROMTOOL');

/** The schemathesis program. */
export const schemathesisProgram = (): string => required('INGESTA_TEST_SCHEMATHESIS');

/** Docker Compose 2, as a program of its own. */
export const composeProgram = (): string => required('INGESTA_TEST_COMPOSE');

/** The program that reads and formats Terraform's language. */
export const hclfmtProgram = (): string => required('INGESTA_TEST_HCLFMT');

function databaseEnv(prefix: string, env = process.env): DatabaseEnv {
  return {
    host: required(`${prefix}_HOST`, env),
    port: Number(required(`${prefix}_PORT`, env)),
    user: required(`${prefix}_USER`, env),
    password: required(`${prefix}_PASSWORD`, env),
    dockerHost: required(`${prefix}_DOCKER_HOST`, env),
    log: env[`${prefix}_LOG`],
  };
}

function required(name: string, env = process.env): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set: does the test stand in describeWith() and name the service?`);
  return value;
}
