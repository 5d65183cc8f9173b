import type { Connection, Loaded, LoadOptions } from './load';
import { createKeyspace, loadCassandra } from './load-cassandra';
import { connectMysql, loadMysql } from './load-mysql';
import { connectPostgresql, loadPostgresql } from './load-postgresql';
import { parseLoaderSettings } from './loader-settings';
import { reasonOf, waitFor } from './wait';

/** Loads one database and says so in one line. */
const report = async (
  engine: string,
  connection: Connection,
  load: (connection: Connection, options: LoadOptions) => Promise<Loaded>,
  options: LoadOptions,
): Promise<void> => {
  const started = performance.now();
  const loaded = await load(connection, options);
  const tables = Object.entries(loaded).map(([table, rows]) => `${table} ${rows}`);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${engine} ${connection.database}: ${tables.join(', ')} rows in ${seconds} s`);
};

/** The compose demo's one-shot: waits for the servers, loads them, ends. */
const main = async (): Promise<void> => {
  const { postgresql, mysql, cassandra, waitSeconds, ...options } = parseLoaderSettings(process.env);
  const at = ({ host, port }: Connection) => `${host}:${port}`;
  await Promise.all([
    waitFor(`PostgreSQL at ${at(postgresql)}`, waitSeconds, async () => (await connectPostgresql(postgresql)).end()),
    waitFor(`MySQL at ${at(mysql)}`, waitSeconds, async () => (await connectMysql(mysql)).end()),
    cassandra && waitFor(`Cassandra at ${at(cassandra)}`, waitSeconds, () => createKeyspace(cassandra)),
  ]);
  await report('postgresql', postgresql, loadPostgresql, options);
  await report('mysql', mysql, loadMysql, options);
  if (cassandra) await report('cassandra', cassandra, loadCassandra, options);
};

main().catch((error: unknown) => {
  console.error(`load-sample: ${reasonOf(error)}`);
  // Not `exitCode`: another server's wait may still be running.
  process.exit(1);
});
