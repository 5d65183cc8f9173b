import { type AddressInfo, createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { runBundle } from '../../scripts/kit/src/testing/run-bundle';
import { ENGINES, type EngineName } from '../bench/extraction/engines';
import { describeWith } from '../services/need';
import { type Bucket, createBucket } from './harness/s3';

/** Some 26 MB of CSV. */
const ROWS = 100_000;
/** What is let through: more than the first part of an upload needs, and less than half of the table. */
const PASS_BYTES = 10_000_000;
const PREFIXES: Record<EngineName, string> = {
  postgresql: 'POSTGRES',
  mysql: 'MYSQL',
  mongodb: 'MONGO',
  cassandra: 'CASSANDRA',
};

/** A way to the server that lets so many bytes of answers pass, holds the next, and ends when told. */
async function openLine(host: string, port: number): Promise<{ port: number; full: Promise<void>; cut(): void }> {
  const sockets: Socket[] = [];
  let passed = 0;
  let fill = () => {};
  const full = new Promise<void>((resolve) => {
    fill = resolve;
  });
  const line: Server = createServer((client) => {
    const server = netConnect(port, host);
    sockets.push(
      client.on('error', () => {}),
      server.on('error', () => {}),
    );
    client.pipe(server);
    server.on('data', (data) => {
      passed += data.length;
      if (passed < PASS_BYTES) client.write(data);
      else {
        server.pause();
        fill();
      }
    });
    server.once('close', () => client.destroy());
    client.once('close', () => server.destroy());
  });
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    line.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (line.address() as AddressInfo).port, full, cut };
}

/** Waits until the first part is on its way: from then on there is something to leave behind. */
async function uploadBegun(bucket: Bucket): Promise<void> {
  while ((await bucket.unfinishedUploads()) === 0) await sleep(20);
}

describe.each(Object.keys(PREFIXES) as EngineName[])('a connection cut in the middle of a table of %s', (source) => {
  describeWith(['s3', source], 'that is on its way into a bucket', () => {
    it('ends with 69, shows nothing, and leaves no part of the upload', async () => {
      const bucket = await createBucket();
      const table = await ENGINES[source].load(ROWS);
      const line = await openLine(table.server.host, table.server.port);
      try {
        const settings = {
          ...table.settings(false),
          ...bucket.settings(false),
          LAKE_URL: '',
          [`${PREFIXES[source]}_HOST`]: '127.0.0.1',
          [`${PREFIXES[source]}_PORT`]: String(line.port),
        };
        const run = runBundle(source, settings, (ended) => ended);
        await Promise.race([line.full.then(() => uploadBegun(bucket)), run]);
        const begun = await bucket.unfinishedUploads();
        line.cut();
        const { exitCode, output } = await run;
        expect(begun).toBe(1);
        expect({ exitCode, output }).toMatchObject({
          exitCode: 69,
          output: { status: 'error', error: { code: 'SOURCE_UNAVAILABLE' } },
        });
        expect((await bucket.keys()).filter((key) => !key.startsWith('_ingesta/'))).toEqual([]);
        expect(await bucket.unfinishedUploads()).toBe(0);
      } finally {
        line.cut();
        await table.drop();
      }
    }, 180_000);
  });
});
