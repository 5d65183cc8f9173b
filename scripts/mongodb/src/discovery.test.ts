import fc from 'fast-check';
import { Binary, Double, Int32, Long, UUID } from 'mongodb';
import { describeWith } from '../../../test/services/need';
import { testContext } from '../../kit/src/testing/test-context';
import { firstPass } from './first-pass';
import { mongodb } from './source';
import { readAll, TestDatabase } from './testing/test-database';

describeWith(['mongodb'], 'MongoDB: which columns there are', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db?.drop());

  const connect = (changes: Record<string, string> = {}) => mongodb.connect({ ...db.env, ...changes }, testContext());

  /** What the first pass finds when it learns from so few documents, as `name: types, nullable`. */
  async function found(name: string, sample: number): Promise<string[]> {
    const session = db.client.startSession();
    const collection = { name, kind: 'collection' as const, inSnapshot: false, pipeline: [], over: name, uuid: null };
    const context = testContext();
    const types = await firstPass({ db: db.db, session, collection, readConcern: undefined, context }, [], sample);
    await session.endSession();
    return [...types.fields.keys()]
      .map((field) => `${field}: ${[...types.fields.get(field)!.keys()].sort()} ${types.isNullable(field)}`)
      .sort();
  }

  it('looks only into the collections that it is asked about', async () => {
    await db.insert('pedida', [{ _id: 1, a: 1 }]);
    await db.insert('ajena', [{ _id: 1, a: 1 }]);
    await db.db.createCollection('vista', { viewOn: 'pedida', pipeline: [{ $set: { b: { $add: ['$a', 1] } } }] });
    const session = await connect();
    await db.db.command({ profile: 2 });
    expect(await session.list()).toEqual([
      { name: 'ajena', onDemand: false },
      { name: 'pedida', onDemand: false },
      { name: 'vista', onDemand: true },
    ]);
    const [vista, pedida] = await session.describe(['vista', 'pedida']);
    await db.db.command({ profile: 0 });
    expect(pedida).toMatchObject({ name: 'pedida', estimatedRows: 1, columns: [{ name: '_id' }, { name: 'a' }] });
    expect((await readAll(session, vista!)).csv.toString()).toBe('_id,a,b\n1,1,2\n');
    expect(session.consistency).toBe('snapshot');
    await session.close();
    const looked = await db.db.collection('system.profile').distinct('ns', { op: 'command' });
    expect(looked).toContain(`${db.db.databaseName}.pedida`);
    expect(looked).not.toContain(`${db.db.databaseName}.ajena`);
    for (const name of ['vista', 'pedida', 'ajena']) await db.db.dropCollection(name);
  });

  it('finds what only one of many documents has', async () => {
    const uuid = new UUID();
    const usual = { n: new Int32(1), u: uuid, b: new Binary(Buffer.from('ab')), t: 'x', l: ['x'], d: { a: 1 } };
    const unusual: object[] = [
      { ...usual, nueva: 1 },
      { ...usual, n: 'texto' },
      { ...usual, n: [1] },
      { ...usual, t: ['x'] },
      { ...usual, t: null },
      { ...usual, u: new Binary(Buffer.from('ab')) },
      { ...usual, u: new Binary(Buffer.alloc(17), 4) },
      { ...usual, b: uuid },
      { ...usual, l: 'x' },
      { ...usual, d: [] },
      { ...usual, 'a.b': 1 },
      { ...usual, $c: 1 },
      { ...usual, '': 1 },
      { u: uuid, b: usual.b, t: 'x', l: ['x'], d: {} },
    ];
    await db.insert('corriente', [{ _id: 1, ...usual }]);
    for (const [i, document] of unusual.entries()) {
      const all = Array.from({ length: 40 }, (_, j) => ({ _id: j, ...(j === 37 ? document : usual) }));
      await db.insert(`raro_${i}`, all);
      const few = await found(`raro_${i}`, 5);
      expect(few).toEqual(await found(`raro_${i}`, 1_000));
      expect(few).not.toEqual(await found('corriente', 5));
    }
  });

  it('finds the same from a small sample as from all, whatever the documents', async () => {
    const value = fc.constantFrom<unknown>(
      ...[
        null,
        1,
        new Double(1.5),
        Long.fromNumber(2),
        'x',
        true,
        new Date(0),
        new UUID(),
        {},
        { a: 1 },
        [],
        [1],
        ['x'],
      ],
      ...[[new UUID()], [[null]], new Binary(Buffer.from('ab')), undefined],
    );
    const name = fc.constantFrom('a', 'b', 'c', 'd', '0', 'x.y', '$z', 'ñ 漢');
    const documents = fc.array(fc.dictionary(name, value, { maxKeys: 4 }), { minLength: 1, maxLength: 30 });
    let n = 0;
    await fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 1, max: 6 }), async (all, sample) => {
        const collection = `muestra_${n++}`;
        await db.insert(
          collection,
          all.map((one, i) => ({ _id: i, ...one })),
        );
        const few = await found(collection, sample);
        expect(few).toEqual(await found(collection, 1_000));
        await db.db.collection(collection).drop();
      }),
      { numRuns: 60 },
    );
  });

  it('a sensitive key that comes late, or deep, is in the projection', async () => {
    const documents: object[] = Array.from({ length: 1_500 }, (_, i) => ({ _id: i, d: { a: [{ b: i }] } }));
    documents.push({ _id: 1_500, d: { a: [{ b: 1 }, { b: { c: { e: { pwd: 'NO1' } } } }] } });
    documents.push({ _id: 1_501, d: { a: [[{ token: 'NO2' }]], z: { salt: 'NO3', q: 1 } } });
    await db.insert('tardia', documents);
    const session = await connect();
    await session.list();
    const [table] = await session.describe(['tardia']);
    await db.db.command({ profile: 2 });
    const { csv } = await readAll(session, table!).finally(() => db.db.command({ profile: 0 }));
    await session.close();
    expect(csv.toString()).not.toContain('NO');
    const find = { 'command.find': 'tardia' };
    const [read] = await db.db.collection('system.profile').find(find).toArray();
    expect(Object.keys(read!.command.projection).sort()).toEqual(['d.a.b.c.e.pwd', 'd.a.token', 'd.z.salt']);
  });

  it('declared columns need no first pass, and nothing else is read', async () => {
    await db.insert('declarada', [
      { _id: 1, total: new Double(2.5), nota: 'x', otra: 1, cuenta: { pwd: 'NO', usuario: 'ana' } },
      { _id: 2, total: 7 },
    ]);
    const declared = { declarada: { _id: 'int', total: 'int|double', cuenta: 'object', password: 'string' } };
    const session = await connect({ MONGO_COLUMNS: JSON.stringify(declared) });
    await session.list();
    await db.db.command({ profile: 2 });
    const [table] = await session.describe(['declarada']);
    await db.db.command({ profile: 0 });
    const ns = `${db.db.databaseName}.declarada`;
    const asked = await db.db.collection('system.profile').find({ ns }).toArray();
    // From the collection's metadata: not one document was looked at.
    expect(asked.map(({ command, docsExamined }) => [Object.keys(command)[0], docsExamined ?? 0])).toEqual([
      ['count', 0],
    ]);
    expect((await readAll(session, table!)).csv.toString()).toBe(
      '_id,total,cuenta\n1,2.5,"{""usuario"":""ana""}"\n2,7,\n',
    );
    await session.close();
    const wrong = await connect({ MONGO_COLUMNS: '{"declarada":{"total":"int"}}' });
    await wrong.list();
    const [other] = await wrong.describe(['declarada']);
    await expect(readAll(wrong, other!)).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: expect.stringContaining('no int'),
    });
    await wrong.close();
    await db.db.dropCollection('declarada');
  });

  it('warns where columns are declared for a collection that is not found', async () => {
    await db.insert('declarada', [{ _id: 1 }]);
    const context = testContext();
    const columns = '{"declarada":{"_id":"int"},"Declarada":{"_id":"int"}}';
    const session = await mongodb.connect({ ...db.env, MONGO_COLUMNS: columns }, context);
    await session.list();
    await session.close();
    expect(context.warnings).toEqual(['MONGO_COLUMNS names collections that are not found: Declarada']);
    await db.db.dropCollection('declarada');
  });

  it('reads several collections at once over one snapshot', async () => {
    for (const name of ['uno', 'dos']) await db.insert(name, [{ _id: 1 }]);
    const session = await mongodb.connect(db.env, testContext({ parallelTables: 2 }));
    expect(session.parallelReads).toBe(2);
    await session.list();
    const tables = await session.describe(['uno', 'dos']);
    for (const name of ['uno', 'dos']) await db.insert(name, [{ _id: 2 }]);
    const both = await Promise.all(tables.map((table) => readAll(session, table)));
    expect(both.map(({ csv }) => csv.toString())).toEqual(['_id\n1\n', '_id\n1\n']);
    await session.close();
  });
});
