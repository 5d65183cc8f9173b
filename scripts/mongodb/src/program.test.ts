import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { describeWith } from '../../../test/services/need';
import { runBundle } from '../../kit/src/testing/run-bundle';
import { TestDatabase } from './testing/test-database';

const MIB = 1024 * 1024;

describeWith(['mongodb'], 'MongoDB: the built program', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterEach(() => db.db.dropDatabase());
  afterAll(() => db?.drop());

  /** Names of all that lies in a folder. */
  const filesIn = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);

  it('stays under 256 MB with documents of 16 MiB, whatever is in them', async () => {
    const size = 16 * MIB - 200;
    const plain = 'ñ'.repeat(size / 2);
    const lines = '"x",\n'.repeat(size / 5);
    for (let i = 0; i < 2; i++) {
      await db.insertLarge('texto', { _id: 4 * i, t: plain });
      await db.insertLarge('texto', { _id: 4 * i + 1, t: lines });
      await db.insertLarge('anidado', { _id: 4 * i + 2, d: { t: lines } });
      await db.insertLarge('binario', { _id: 4 * i + 3, b: Buffer.alloc(size, i) });
    }
    const { exitCode, output, peakRss } = await runBundle('mongodb', db.env, (run) => run);
    expect({ exitCode, output }).toMatchObject({ exitCode: 0, output: { status: 'success' } });
    expect(output).toMatchObject({
      result: { texto: { registros: 4 }, anidado: { registros: 2 }, binario: { registros: 2 } },
    });
    expect(peakRss).toBeGreaterThan(0);
    expect(peakRss).toBeLessThan(256e6);
  });

  it('ends with 69 when the connection is cut mid-collection, and leaves nothing in the lake', async () => {
    const filler = 'x'.repeat(1000);
    for (let i = 0; i < 40_000; i += 10_000) {
      await db.insert(
        'grande',
        Array.from({ length: 10_000 }, (_, j) => ({ _id: i + j, filler })),
      );
    }
    const sockets: Socket[] = [];
    let received = 0;
    const proxy = createServer((socket) => {
      const server = dial(Number(db.env.MONGO_PORT), db.env.MONGO_HOST);
      sockets.push(socket, server);
      for (const end of [socket, server]) end.on('error', () => undefined);
      server.on('data', (data) => {
        received += data.length;
        if (received > 15 * MIB) for (const open of sockets) open.destroy();
      });
      socket.pipe(server).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const env = { ...db.env, MONGO_PORT: String((proxy.address() as AddressInfo).port) };
      await runBundle('mongodb', env, ({ exitCode, output }, lake) => {
        expect({ exitCode, output }).toMatchObject({ exitCode: 69, output: { error: { code: 'SOURCE_UNAVAILABLE' } } });
        expect(received).toBeGreaterThan(15 * MIB);
        // What it was about to write is recorded, for the sweep.
        expect(filesIn(lake)).toEqual(['objects-1.json']);
      });
    } finally {
      proxy.close();
    }
  });
});
