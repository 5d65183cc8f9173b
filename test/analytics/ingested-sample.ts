import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client as CassandraClient } from 'cassandra-driver';
import { parseStream } from 'fast-csv';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import type { Client } from 'pg';
import { connectCassandra, loadCassandra } from '../../demo/sample/load-cassandra';
import { loadMysql } from '../../demo/sample/load-mysql';
import { connectPostgresql, loadPostgresql } from '../../demo/sample/load-postgresql';
import { deliver } from '../../demo/sample/ventas/generate';
import { writeCsvFiles } from '../../demo/sample/write-csv-files';
import { createCassandra, createMysql, createPostgresql } from '../e2e/harness/databases';
import { startTestGateway, type TestGateway } from '../e2e/harness/gateway';
import { cassandraEnv, mysqlEnv, pgEnv } from '../services/need';
import { CASSANDRA_EXTRAS, POSTGRESQL_EXTRAS, UNUSABLE_QUANTITIES } from './sample-extras';

type Source = 'mysql' | 'postgresql' | 'cassandra' | 'ventas';

const DELIVERIES = 'entregas/ventas';

/** Databases on real servers, sales as delivered files, and a lake that POSTs filled from them by the scripts. */
export class IngestedSample {
  /** Gives rows as text and numbers, as JSON would. */
  mysql!: Connection;
  postgresql!: Client;
  cassandra!: CassandraClient;
  gateway!: TestGateway;
  #folder!: string;
  readonly #closing: (() => Promise<unknown>)[] = [];

  /** Makes the sources, and ingests each. Must be removed also when it fails. */
  async start(sources: readonly Source[]): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'ingesta-ingested-'));
    this.#closing.push(() => rm(this.#folder, { recursive: true, force: true }));
    const make = {
      mysql: () => this.#makeMysql(),
      postgresql: () => this.#makePostgresql(),
      cassandra: () => this.#makeCassandra(),
      ventas: () => this.#deliverVentas(),
    };
    const settings = await Promise.all(sources.map((source) => make[source]()));
    this.gateway = await startTestGateway({
      ...Object.assign({}, ...settings),
      ...{ LAKE_URL: pathToFileURL(this.#folder).href, RUNNER: 'process' },
      ...{ ANALYTICS_CACHE_DIR: join(this.#folder, 'cache') },
    });
    this.#closing.push(() => this.gateway.stop());
    for (const source of sources) {
      const { status, body } = await this.gateway.post(source);
      expect({ status, body }).toMatchObject({ status: 200, body: { database: source } });
    }
  }

  async remove(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
  }

  /** The day of the oldest of these sources' data. */
  async asOf(...sources: readonly Source[]): Promise<string> {
    const latest = sources.map((source) => this.gateway.get(`/api/ingesta/${source}/latest`));
    const days = (await Promise.all(latest)).map(({ body }) => String(body.taken_at).slice(0, 10));
    return days.sort()[0]!;
  }

  /** Fails unless the route answers exactly this, field by field in this order. */
  async expectAnswer(path: string, expected: object): Promise<void> {
    const { status, body } = await this.gateway.get(path);
    expect({ status, body }).toEqual({ status: 200, body: expected });
    expect(JSON.stringify(body)).toBe(JSON.stringify(expected));
  }

  /** Rows of a SELECT of PostgreSQL's: numerics are numbers, dates text. */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    const { rows } = await this.postgresql.query(`SELECT coalesce(json_agg(row), '[]') AS found FROM (${sql}) AS row`);
    return rows[0].found;
  }

  async one(sql: string): Promise<Record<string, unknown>> {
    const rows = await this.rows(sql);
    expect(rows).toHaveLength(1);
    return rows[0]!;
  }

  /**
   * Copies what a SELECT finds in MySQL or Cassandra, or a delivered file, into a table of PostgreSQL's, where one
   * statement can ask all of them. `columns` as in CREATE TABLE.
   */
  async copy(from: 'mysql' | 'cassandra' | 'ventas', table: string, columns: string): Promise<void> {
    const names = columns.split(', ').map((column) => column.split(' ')[0]);
    const select = `SELECT ${names.join(', ')} FROM ${table}`;
    const read = {
      mysql: async () => (await this.mysql.query<RowDataPacket[]>(select))[0],
      cassandra: async () => (await this.cassandra.execute(select, [], { fetchSize: 100_000 })).rows,
      ventas: () => readCsv(join(this.#folder, DELIVERIES, `${table}.csv`)),
    };
    const copied = `${from}.${table}`;
    await this.postgresql.query(`CREATE SCHEMA IF NOT EXISTS ${from}; CREATE TABLE ${copied} (${columns})`);
    await this.postgresql.query(`INSERT INTO ${copied} SELECT * FROM json_populate_recordset(NULL::${copied}, $1)`, [
      JSON.stringify(await read[from]()),
    ]);
  }

  async #makeMysql() {
    const { host, port, user, password } = mysqlEnv();
    const database = await createMysql();
    this.#closing.push(database.drop);
    await loadMysql({ host, port, user, password, database: database.name });
    this.mysql = await createConnection({
      ...{ host, port, user, password, database: database.name },
      ...{ charset: 'utf8mb4', decimalNumbers: true, dateStrings: true },
    });
    this.#closing.push(() => this.mysql.end());
    return database.settings(false);
  }

  async #makePostgresql() {
    const { host, port, user, password } = pgEnv();
    const database = await createPostgresql();
    this.#closing.push(database.drop);
    const connection = { host, port, user, password, database: database.name };
    await loadPostgresql(connection);
    this.postgresql = await connectPostgresql(connection);
    this.#closing.push(() => this.postgresql.end());
    await this.postgresql.query(POSTGRESQL_EXTRAS);
    return database.settings(false);
  }

  async #makeCassandra() {
    const database = await createCassandra();
    this.#closing.push(database.drop);
    const connection = { ...cassandraEnv(), database: database.name };
    await loadCassandra(connection);
    this.cassandra = await connectCassandra(connection);
    this.#closing.push(() => this.cassandra.shutdown());
    for (const cql of CASSANDRA_EXTRAS) await this.cassandra.execute(cql);
    return database.settings(false);
  }

  async #deliverVentas() {
    const delivered = deliver();
    function* ventas() {
      yield* delivered.ventas();
      for (const [index, cantidad] of UNUSABLE_QUANTITIES.entries())
        yield { venta_id: `x${index}`, producto_id: 'prod001', cliente_id: 'cli001', cantidad, fecha: '2026-01-01' };
    }
    await writeCsvFiles(join(this.#folder, DELIVERIES), { ...delivered, ventas });
    return { SOURCES: 'ventas=files:VENTAS_', VENTAS_FILES_LAKE_PREFIX: DELIVERIES };
  }
}

async function readCsv(path: string): Promise<object[]> {
  const rows: object[] = [];
  for await (const row of parseStream(createReadStream(path), { headers: true })) rows.push(row);
  return rows;
}
