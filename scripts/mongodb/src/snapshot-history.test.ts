import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '@ingesta/kit';
import { installedMongod, startMongod } from '../../../test/services/mongodb';
import type { ServiceHandle } from '../../../test/services/service';
import { allTables } from '../../kit/src/testing/all-tables';
import { testContext } from '../../kit/src/testing/test-context';
import { mongodb } from './source';
import { selectionOf, TestDatabase } from './testing/test-database';

const PROGRAM = installedMongod();

/** An installed program alone can be started a second time: how long it keeps its history is of the whole server. */
const describeWithMongod = PROGRAM ? describe : describe.skip;

describeWithMongod('MongoDB: a server that forgets its past [mongodb]', () => {
  let server: ServiceHandle;
  let db: TestDatabase;
  beforeAll(async () => {
    server = (await startMongod(PROGRAM))!;
    db = await TestDatabase.create(server.env);
    const documents = Array.from({ length: 40_000 }, (_, _id) => ({ _id, filler: 'x'.repeat(1000) }));
    await db.insert('grande', documents);
  });
  afterAll(async () => {
    await db?.drop();
    await server?.stop();
  });

  /** A session whose collection has been begun, and the rest of what it reads. */
  async function begun(settings: Record<string, string> = {}) {
    const session = await mongodb.connect({ ...db.env, ...settings }, testContext());
    const [table] = await allTables(session);
    const chunks = session.read(selectionOf(table!))[Symbol.asyncIterator]();
    await chunks.next();
    const drain = async () => {
      while (!(await chunks.next()).done);
    };
    return { session, drain };
  }

  it('says what to do when the server no longer has what is read, and reads on without a snapshot', async () => {
    const [first, other] = [await begun(), await begun({ MONGO_SNAPSHOT: 'off' })];
    const admin = db.db.client.db('admin');
    await admin.command({ setParameter: 1, minSnapshotHistoryWindowInSeconds: 1 });
    // The window moves with what is written.
    for (let i = 0; i < 12; i++) {
      await db.insert('pulso', [{ _id: i }]);
      await sleep(500);
    }
    await expect(first.drain()).rejects.toMatchObject({
      exitCode: EXIT.INTERNAL,
      hint: expect.stringMatching(/minSnapshotHistoryWindowInSeconds.*MONGO_SNAPSHOT=off/),
    });
    await other.drain();
    await first.session.close();
    await other.session.close();
  });
});
