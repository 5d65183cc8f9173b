import { auth, Client } from 'cassandra-driver';

/**
 * The least a program can do with the driver: one SELECT over the table, paged by the driver, that counts. Settings come
 * by environment: CASSANDRA_HOST, _PORT, _USER, _PASSWORD, _KEYSPACE, TABLE, FETCH_SIZE. Prints the count.
 */
async function count(): Promise<void> {
  const env = process.env;
  const client = new Client({
    contactPoints: [env.CASSANDRA_HOST ?? ''],
    protocolOptions: { port: Number(env.CASSANDRA_PORT) },
    localDataCenter: 'datacenter1',
    authProvider: new auth.PlainTextAuthProvider(env.CASSANDRA_USER ?? '', env.CASSANDRA_PASSWORD ?? ''),
    keyspace: env.CASSANDRA_KEYSPACE,
    socketOptions: { readTimeout: 60_000 },
  });
  let rows = 0;
  const options = { prepare: true, autoPage: true, fetchSize: Number(env.FETCH_SIZE) };
  await new Promise<void>((resolve, reject) => {
    client.eachRow(
      `SELECT * FROM ${env.TABLE}`,
      [],
      options,
      () => rows++,
      (error) => (error ? reject(error) : resolve()),
    );
  });
  await client.shutdown();
  process.stdout.write(`${rows}\n`);
}

void count();
