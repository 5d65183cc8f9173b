import { join } from 'node:path';
import type { Contender } from '../contender';
import { countCsv, countCsvFolder } from '../count-rows';
import type { LoadedTable } from '../dataset/loaded-table';
import { TABLE } from '../dataset/row';
import { peerScript, pinned, type Venv, venv } from '../peers/venv';

/** How the peers name an SQL server, and what differs between the two. */
export interface SqlDialect {
  /** Of the URLs that SQLAlchemy and others take. */
  readonly scheme: string;
  readonly schema: string | undefined;
  /** The scheme with the name of the Python driver. */
  readonly pythonScheme: string;
  /** Bytes as hexadecimal text: what polars cannot write by itself. */
  readonly payloadText: string;
}

const NAMES = 'id, account, amount, ratio, active, born, seen, reference, code, note, attributes';
/** Two counted rounds show what the slow ones need to show. */
const AT_MOST = 2;

/** Other tools that export an SQL table as CSV, each in the way its makers recommend for speed. */
export const sqlPeers = (dialect: SqlDialect): Contender[] => [
  sling(dialect),
  dlt(dialect),
  ingestr(dialect),
  connectorx(dialect),
];

function sling(dialect: SqlDialect): Contender {
  let program = '';
  return {
    id: 'sling',
    title: 'sling',
    role: 'other',
    atMost: AT_MOST,
    prepare: async () => {
      program = await (await venv('sling')).file(/\/bin\/sling-[a-z]+-[a-z0-9]+$/);
      return (await pinned('sling', 'sling-linux-amd64')).replace('-linux-amd64', '');
    },
    program: (table, folder) => ({
      command: program,
      args: [
        ...['run', '--src-conn', 'BENCH', '--src-stream', qualified(dialect, table)],
        ...['--tgt-object', `file://${join(folder, 'out.csv')}`],
      ],
      env: {
        BENCH: url(dialect.scheme, table, dialect.schema ? '?sslmode=disable' : ''),
        SLING_DISABLE_TELEMETRY: 'TRUE',
        SLING_HOME_DIR: join(folder, '..', 'sling'),
      },
    }),
    output: (_table, folder) => countCsv(join(folder, 'out.csv')),
  };
}

function dlt(dialect: SqlDialect): Contender {
  let python: Venv | undefined;
  return {
    id: 'dlt',
    title: 'dlt, connectorx backend',
    role: 'other',
    prepare: async () => {
      python = await venv('dlt');
      return pinned('dlt', 'dlt', 'connectorx');
    },
    program: (table, folder) => ({
      command: python!.python,
      args: [peerScript('dlt_export.py')],
      env: {
        ...{ URI: url(dialect.pythonScheme, table), TABLE, OUT: folder, PAYLOAD: dialect.payloadText },
        ...{ RUNTIME__DLTHUB_TELEMETRY: 'false', DATA_WRITER__DISABLE_COMPRESSION: 'true' },
        NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION: 'true',
      },
    }),
    output: (_table, folder) => countCsvFolder(join(folder, 'out', TABLE)),
  };
}

function ingestr(dialect: SqlDialect): Contender {
  let program = '';
  return {
    id: 'ingestr',
    title: 'ingestr',
    role: 'other',
    atMost: AT_MOST,
    prepare: async () => {
      program = await (await venv('ingestr')).program('ingestr');
      return pinned('ingestr', 'ingestr');
    },
    program: (table, folder) => ({
      command: program,
      args: ['ingest', '--yes', '--progress', 'log', '--pipelines-dir', join(folder, '..', 'pipelines')],
      env: {
        SOURCE_URI: url(dialect.scheme, table, dialect.schema ? '?sslmode=disable' : ''),
        SOURCE_TABLE: qualified(dialect, table),
        DESTINATION_URI: `csv://${join(folder, 'out.csv')}`,
        DESTINATION_TABLE: 'out.measures',
        INGESTR_DISABLE_TELEMETRY: 'true',
        DISABLE_TELEMETRY: 'true',
      },
    }),
    output: (_table, folder) => countCsv(join(folder, 'out.csv')),
  };
}

function connectorx(dialect: SqlDialect): Contender {
  let python: Venv | undefined;
  return {
    id: 'connectorx',
    title: 'connectorx + polars',
    role: 'other',
    prepare: async () => {
      python = await venv('connectorx');
      return pinned('connectorx', 'connectorx', 'polars');
    },
    program: (table, folder) => ({
      command: python!.python,
      args: [peerScript('connectorx_export.py')],
      env: {
        URI: url(dialect.scheme, table),
        QUERY: `SELECT ${NAMES}, ${dialect.payloadText} AS payload FROM ${TABLE}`,
        OUT: join(folder, 'out.csv'),
      },
    }),
    output: (_table, folder) => countCsv(join(folder, 'out.csv')),
  };
}

const qualified = ({ schema }: SqlDialect, { database }: LoadedTable): string => `${schema ?? database}.${TABLE}`;

function url(scheme: string, { server, database }: LoadedTable, query = ''): string {
  const login = `${encodeURIComponent(server.user)}:${encodeURIComponent(server.password)}`;
  return `${scheme}://${login}@${server.host}:${server.port}/${database}${query}`;
}
