import type { Contender } from './contender';
import { cassandraLoop, cqlshCopy, dsbulk } from './contenders/cassandra';
import { mariadbBatch } from './contenders/mariadb';
import { mongodbLoop, mongoexport } from './contenders/mongodb';
import { psqlCopy } from './contenders/psql';
import { scriptToFolder } from './contenders/script';
import { scriptImage } from './contenders/script-image';
import { scriptToS3 } from './contenders/script-to-s3';
import { sqlPeers } from './contenders/sql-peers';
import { loadCassandra } from './dataset/cassandra';
import type { LoadedTable } from './dataset/loaded-table';
import { loadMongodb } from './dataset/mongodb';
import { loadMysql } from './dataset/mysql';
import { loadPostgresql } from './dataset/postgresql';

export const ENGINE_NAMES = ['postgresql', 'mysql', 'mongodb', 'cassandra'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** One kind of database: how its table is filled, and who reads it. */
export interface Engine {
  readonly title: string;
  /** Counted rounds, unless told otherwise. */
  readonly rounds: number;
  /** Fills a fresh database on the server that the environment tells of. */
  load(rows: number): Promise<LoadedTable>;
  /** This project's script as a process into a folder, alone. */
  script(): Contender;
  /** The same into a bucket. */
  scriptToS3(): Contender;
  /** Everybody, the reference first. */
  contenders(): Contender[];
  /** Other people's tools that have to be installed, besides. */
  peers(): Contender[];
}

const FOLDER = 'this project, process → folder';
const ONE = { PARALLEL_RANGES: '1' };

const postgresqlScript = () => scriptToFolder('postgresql', `${FOLDER}, one connection`, ONE);
const postgresqlToS3 = () => scriptToS3('postgresql', ONE);
const plainScript = (source: EngineName) => () => scriptToFolder(source, FOLDER);
const plainToS3 = (source: EngineName) => () => scriptToS3(source);

/** All engines, by hand. */
export const ENGINES: Record<EngineName, Engine> = {
  postgresql: {
    title: 'PostgreSQL',
    rounds: 5,
    load: loadPostgresql,
    script: postgresqlScript,
    scriptToS3: postgresqlToS3,
    contenders: () => [
      psqlCopy(),
      postgresqlScript(),
      scriptToFolder('postgresql', `${FOLDER}, two parallel ranges`, { PARALLEL_RANGES: '2' }, 'script-ranges'),
      postgresqlToS3(),
      scriptImage('postgresql'),
    ],
    peers: () =>
      sqlPeers({
        scheme: 'postgresql',
        pythonScheme: 'postgresql+psycopg2',
        schema: 'public',
        payloadText: "encode(payload, 'hex')",
      }),
  },
  mysql: {
    title: 'MySQL and MariaDB',
    rounds: 5,
    load: loadMysql,
    script: plainScript('mysql'),
    scriptToS3: plainToS3('mysql'),
    contenders: () => [mariadbBatch(), plainScript('mysql')(), plainToS3('mysql')(), scriptImage('mysql')],
    peers: () =>
      sqlPeers({
        scheme: 'mysql',
        pythonScheme: 'mysql+pymysql',
        schema: undefined,
        payloadText: 'LOWER(HEX(payload))',
      }),
  },
  mongodb: {
    title: 'MongoDB',
    rounds: 3,
    load: loadMongodb,
    script: plainScript('mongodb'),
    scriptToS3: plainToS3('mongodb'),
    contenders: () => [
      mongodbLoop(false),
      plainScript('mongodb')(),
      plainToS3('mongodb')(),
      scriptImage('mongodb'),
      mongodbLoop(true),
    ],
    peers: () => [mongoexport()],
  },
  cassandra: {
    title: 'Cassandra',
    rounds: 3,
    load: loadCassandra,
    script: plainScript('cassandra'),
    scriptToS3: plainToS3('cassandra'),
    contenders: () => [cassandraLoop(), plainScript('cassandra')(), plainToS3('cassandra')(), scriptImage('cassandra')],
    peers: () => [cqlshCopy(), dsbulk()],
  },
};
