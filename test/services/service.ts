/** The real servers the tests know how to start. */
export const SERVICE_NAMES = [
  'docker',
  'namespaces',
  'podman',
  'nginx',
  'haproxy',
  'promtool',
  'schemathesis',
  'compose',
  'hclfmt',
  'postgresql',
  'mysql',
  'mongodb',
  'cassandra',
  's3',
  'moto',
  'trino',
] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];

/** A server that answers. */
export interface ServiceHandle {
  readonly name: ServiceName;
  /** Which server it is and where it came from, for the table at the end of a run. */
  readonly how: string;
  /** What the tests read, through the accessors of `need.ts`. */
  readonly env: Record<string, string>;
  /** Stops what was started, and only that; does nothing for a server that was given. */
  stop(): Promise<void>;
}

/** A server that could not be had. */
export interface MissingService {
  readonly name: ServiceName;
  readonly missing: string;
  /** What a person can do to have it next time. */
  readonly bring: string;
}

/** The outcome of `startServices`, written as JSON for the reporter. */
export interface ServicesSummary {
  readonly handles: readonly Pick<ServiceHandle, 'name' | 'how'>[];
  readonly missing: readonly MissingService[];
}

/** The variable whose presence tells a test that the service is there. */
export const MARKERS: Record<ServiceName, string> = {
  docker: 'INGESTA_TEST_DOCKER',
  namespaces: 'INGESTA_TEST_NAMESPACES',
  podman: 'INGESTA_TEST_PODMAN',
  nginx: 'INGESTA_TEST_NGINX',
  haproxy: 'INGESTA_TEST_HAPROXY',
  promtool: 'INGESTA_TEST_PROMTOOL',
  schemathesis: 'INGESTA_TEST_SCHEMATHESIS',
  compose: 'INGESTA_TEST_COMPOSE',
  hclfmt: 'INGESTA_TEST_HCLFMT',
  postgresql: 'INGESTA_TEST_PG_HOST',
  mysql: 'INGESTA_TEST_MYSQL_HOST',
  mongodb: 'INGESTA_TEST_MONGO_HOST',
  cassandra: 'INGESTA_TEST_CASSANDRA_HOST',
  s3: 'INGESTA_TEST_S3_ENDPOINT',
  moto: 'INGESTA_TEST_MOTO_ENDPOINT',
  trino: 'INGESTA_TEST_TRINO_URL',
};

/** How containers name the machine they run on (`--add-host host.docker.internal:host-gateway`). */
export const HOST_FROM_CONTAINER = 'host.docker.internal';
