import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '@ingesta/kit';
import { BSON } from 'mongodb';
import { heldMemory } from '../../../test/held-memory';
import { describeWith } from '../../../test/services/need';
import { freePort } from '../../../test/services/server-process';
import { settled } from '../../../test/settled';
import { allTables } from '../../kit/src/testing/all-tables';
import { expectPatience } from '../../kit/src/testing/expect-patience';
import { testContext } from '../../kit/src/testing/test-context';
import { mongodb } from './source';
import { exportCollection, readAll, selectionOf, TestDatabase } from './testing/test-database';

const BIG_ROWS = 40_000;

describeWith(['mongodb'], 'MongoDB: what is read, and what goes wrong', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    const filler = 'x'.repeat(1000);
    for (let i = 0; i < BIG_ROWS; i += 10_000) {
      await db.insert(
        'grande',
        Array.from({ length: 10_000 }, (_, j) => ({ _id: i + j, filler })),
      );
    }
  });
  afterAll(() => db?.drop());

  const connect = (changes: Record<string, string>) => mongodb.connect({ ...db.env, ...changes }, testContext());
  /** A session whose collection `grande` has been begun. */
  async function begun(changes: Record<string, string> = {}, context = testContext()) {
    const session = await mongodb.connect({ ...db.env, ...changes }, context);
    const table = (await allTables(session)).find(({ name }) => name === 'grande')!;
    const chunks = session.read(selectionOf(table))[Symbol.asyncIterator]();
    await chunks.next();
    return { session, chunks };
  }
  async function expectCursors(count: number, others: readonly string[]) {
    const seen = await settled(
      async () => (await db.cursors()).filter((id) => !others.includes(id)),
      ({ length }) => length === count,
    );
    expect(seen).toHaveLength(count);
  }
  async function drain(chunks: AsyncIterator<unknown>) {
    while (!(await chunks.next()).done);
  }

  it('lists collections of any name, empty ones too, and no views', async () => {
    for (const name of ['a.b', 'ñ 漢', 'Con espacio', 'vacia']) await db.db.createCollection(name);
    await db.db.createCollection('vista', { viewOn: 'grande' });
    const session = await connect({});
    const tables = await allTables(session);
    expect(tables.map(({ name }) => name)).toEqual(['Con espacio', 'a.b', 'grande', 'vacia', 'ñ 漢']);
    expect((await readAll(session, tables.find(({ name }) => name === 'vacia')!)).csv.toString()).toBe('_id\n');
    await session.close();
    for (const name of ['a.b', 'ñ 漢', 'Con espacio']) {
      await db.insert(name, [{ _id: 1 }]);
      expect((await exportCollection(db.env, name)).csv.toString()).toBe('_id\n1\n');
      await db.db.dropCollection(name);
    }
    await db.db.dropCollection('vista');
    await db.db.dropCollection('vacia');
  });

  it('sensitive fields at any depth are in no query and in no CSV', async () => {
    await db.insert('medicos', [
      { _id: 1, password: 'NO1', 'api.token': 'NO2', nombre: 'Ana', cuenta: { pwd: 'NO3', usuario: 'ana' } },
      { _id: 2, nombre: 'Luis', sedes: [{ acceso: { passwordHash: 'NO4', ok: 1 } }, [{ salt: 'NO5' }]] },
      { _id: 3, hondo: { a: { b: { c: { d: { e: { secret: 'NO6', f: 1 } } } } } } },
    ]);
    await db.db.command({ profile: 2 });
    const { csv } = await exportCollection(db.env, 'medicos').finally(() => db.db.command({ profile: 0 }));
    expect(csv.toString()).not.toContain('NO');
    expect(csv.toString()).toContain('""usuario"":""ana""');
    const profile = await db.db
      .collection('system.profile')
      .find({ ns: `${db.db.databaseName}.medicos`, 'command.$db': db.db.databaseName })
      .toArray();
    const reads = profile
      .map(({ command }) => command)
      .filter((command) => command.find || !/"\$(group|count)"/.test(JSON.stringify(command.pipeline ?? '$group')));
    expect(reads).toHaveLength(1);
    const text = JSON.stringify(reads[0]);
    for (const path of [
      'password',
      'cuenta.pwd',
      'sedes.acceso.passwordHash',
      'sedes.salt',
      'hondo.a.b.c.d.e.secret',
    ]) {
      expect(text).toContain(`"${path}":0`);
    }
    expect(text).toContain('{"$literal":"api.token"}');
    // The very same query sends none of it.
    const { pipeline } = reads[0]!;
    expect(JSON.stringify(await db.db.collection('medicos').aggregate(pipeline).toArray())).not.toContain('NO');
    await db.db.dropCollection('medicos');
  });

  it('reads one snapshot, whatever is written meanwhile, collection after collection', async () => {
    await db.insert('debe', [{ _id: 1, saldo: 60 }]);
    await db.insert('haber', [{ _id: 1, saldo: 40 }]);
    const session = await connect({});
    const tables = await allTables(session);
    const csvOf = async (name: string) =>
      (await readAll(session, tables.find((table) => table.name === name)!)).csv.toString();
    await db.db.collection('debe').updateMany({}, { $set: { saldo: 0 } });
    await db.db.collection('haber').updateMany({}, { $set: { saldo: 100, nueva: 1 } });
    await db.insert('haber', [{ _id: 2, saldo: 1 }]);
    expect([await csvOf('debe'), await csvOf('haber')]).toEqual(['_id,saldo\n1,60\n', '_id,saldo\n1,40\n']);
    expect(session.consistency).toBe('snapshot');
    expect(Math.abs(session.takenAt.getTime() - Date.now())).toBeLessThan(60_000);
    await session.close();
    await session.close();
    for (const name of ['debe', 'haber']) await db.db.dropCollection(name);
  });

  it('without a snapshot, a field or type that came late fails instead of being lost; a late secret stays out', async () => {
    for (const [late, expected] of [
      [
        { _id: 2, nueva: 1 },
        { exitCode: EXIT.TEMPORARY, message: expect.stringContaining('"nueva" appeared') },
      ],
      [
        { _id: 2, a: 'texto' },
        { exitCode: EXIT.TEMPORARY, message: expect.stringContaining('no int') },
      ],
      [{ _id: 2, a: 2, password: 'NO' }, null],
    ] as const) {
      await db.insert('tarde', [{ _id: 1, a: 1 }]);
      const session = await connect({ MONGO_SNAPSHOT: 'off' });
      const table = (await allTables(session)).find(({ name }) => name === 'tarde')!;
      expect(session.consistency).toBe('none');
      await db.insert('tarde', [late]);
      if (expected) await expect(readAll(session, table)).rejects.toMatchObject(expected);
      else expect((await readAll(session, table)).csv.toString()).toBe('_id,a\n1,1\n2,2\n');
      await session.close();
      await db.db.dropCollection('tarde');
    }
  });

  it('a collection dropped meanwhile is no empty table', async () => {
    for (const MONGO_SNAPSHOT of ['auto', 'off']) {
      await db.insert('fugaz', [{ _id: 1 }]);
      const session = await connect({ MONGO_SNAPSHOT });
      const table = (await allTables(session)).find(({ name }) => name === 'fugaz')!;
      await db.db.dropCollection('fugaz');
      await expect(readAll(session, table)).rejects.toMatchObject({ code: 'SCRIPT_FAILED' });
      await session.close();
    }
  });

  it('a capped collection is read, and no snapshot is claimed', async () => {
    await db.db.createCollection('tope', { capped: true, size: 4096 });
    await db.insert('tope', [{ _id: 1 }]);
    const { csv, consistency } = await exportCollection(db.env, 'tope');
    expect([csv.toString(), consistency]).toEqual(['_id\n1\n', 'none']);
    await db.db.dropCollection('tope');
  });

  it('a document of 15 MiB passes', async () => {
    await db.insertLarge('enorme', { _id: 1, t: '"'.repeat(15 * 1024 * 1024) });
    await db.insert('enorme', [{ _id: 2, t: 'a' }]);
    const { rows, csv } = await exportCollection(db.env, 'enorme');
    expect(rows).toBe(2);
    expect(csv.length).toBe('_id,t\n1,""\n2,a\n'.length + 30 * 1024 * 1024);
    await db.db.dropCollection('enorme');
  });

  it('a wrong password is SOURCE_AUTH, without the password', async () => {
    const error = await connect({ MONGO_PASSWORD: 'equivocada-7' }).catch((e) => e);
    expect(error).toMatchObject({ code: 'SOURCE_AUTH', exitCode: EXIT.AUTH });
    expect(`${error.message} ${error.hint}`).not.toContain('equivocada-7');
    const anonymous = await connect({ MONGO_USER: '' });
    await expect(allTables(anonymous)).rejects.toMatchObject({ code: 'SOURCE_AUTH' });
    await anonymous.close();
  });

  it('a closed port, an unknown host and silence are SOURCE_UNAVAILABLE when their time is over', async () => {
    const expected = { code: 'SOURCE_UNAVAILABLE', exitCode: EXIT.UNAVAILABLE };
    const places: Record<string, string>[] = [
      { MONGO_PORT: String(await freePort()) },
      { MONGO_HOST: 'no-such-host.invalid' },
    ];
    for (const place of places) {
      await expect(connect({ ...place, MONGO_CONNECT_TIMEOUT: '1' })).rejects.toMatchObject(expected);
    }
    await expectPatience(mongodb, db.env, 'MONGO_', expected);
  });

  it('a connection cut mid-table is SOURCE_UNAVAILABLE, never a short CSV', async () => {
    const sockets: Socket[] = [];
    const proxy = createServer((socket) => {
      const server = dial(Number(db.env.MONGO_PORT), db.env.MONGO_HOST);
      sockets.push(socket, server);
      for (const end of [socket, server]) end.on('error', () => undefined);
      socket.pipe(server).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { session, chunks } = await begun({ MONGO_PORT: String((proxy.address() as AddressInfo).port) });
    proxy.close();
    for (const socket of sockets) socket.destroy();
    await expect(drain(chunks)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', exitCode: EXIT.UNAVAILABLE });
    await session.close();
  });

  it('reads where cursors must not wait for ever, as on the free tier of Atlas', async () => {
    const refusal = BSON.serialize({
      ok: 0,
      errmsg: 'noTimeout cursors are disallowed in this atlas tier',
      code: 8000,
      codeName: 'AtlasError',
    });
    let refused = 0;
    // A command is one small message.
    const proxy = createServer((socket) => {
      const server = dial(Number(db.env.MONGO_PORT), db.env.MONGO_HOST);
      for (const end of [socket, server]) end.on('error', () => undefined);
      socket.on('data', (message) => {
        if (!message.includes('noCursorTimeout')) return server.write(message);
        refused++;
        // OP_MSG: length, id, the id that it answers, 2013; no flags; a body.
        const head = Buffer.alloc(21);
        [head.length + refusal.length, refused, message.readInt32LE(4), 2013].map((n, i) =>
          head.writeInt32LE(n, 4 * i),
        );
        return socket.write(Buffer.concat([head, refusal]));
      });
      socket.on('close', () => server.destroy());
      server.pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const { rows } = await exportCollection(
        { ...db.env, MONGO_PORT: String((proxy.address() as AddressInfo).port) },
        'grande',
      );
      expect([rows, refused]).toEqual([BIG_ROWS, 1]);
    } finally {
      proxy.close();
    }
  });

  it('abort kills the cursor at once and throws its reason; so does returning early', async () => {
    // A cut connection leaves its cursor to the server, for a while.
    const others = await db.cursors();
    const context = testContext();
    const aborted = await begun({}, context);
    context.controller.abort(new Error('deadline'));
    await expectCursors(0, others);
    await expect(drain(aborted.chunks)).rejects.toThrow('deadline');
    await aborted.session.close();
    const { session, chunks } = await begun();
    await expectCursors(1, others);
    await chunks.return!();
    await expectCursors(0, others);
    await session.close();
  });

  it('a slow reader holds the server back instead of filling the memory', async () => {
    const before = heldMemory();
    const { session, chunks } = await begun();
    await sleep(500);
    expect(heldMemory() - before).toBeLessThan(24 * 1024 * 1024);
    await drain(chunks);
    await session.close();
  });
});
