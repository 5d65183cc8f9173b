import { type SourceSession, type SourceTable, sensitiveRules } from '@ingesta/kit';
import { type Document, Int32 } from 'mongodb';
import { describeWith } from '../../../test/services/need';
import { planTable } from '../../kit/src/run/plan-tables';
import { testContext } from '../../kit/src/testing/test-context';
import { mongodb } from './source';
import { TestDatabase } from './testing/test-database';

describeWith(['mongodb'], 'MongoDB: datasets', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    const productos = ['ibuprofeno', 'amoxicilina'];
    await db.insert('recetas', [
      { _id: 1, dni_paciente: '1', cmp_medico: new Int32(7), productos, validacion: { token: 'NO1', estado: 'ok' } },
      { _id: 2, dni_paciente: '2', cmp_medico: new Int32(7), productos: ['ibuprofeno'], validacion: { estado: 'ok' } },
    ]);
    await db.insert('medicos', [{ _id: 1, cmp: new Int32(7), nombre: 'Ana', contacto: { password: 'NO2', tel: '1' } }]);
  });
  afterAll(() => db?.drop());

  const csvOf = (collection: string, pipeline: object[], more: object = {}): Promise<string> =>
    exported((session) => session.dataset!({ name: 'datos', text: JSON.stringify({ collection, pipeline, ...more }) }));

  const csvOfView = (name: string): Promise<string> =>
    exported(async (session) => (await session.describe([name]))[0]!);

  async function exported(describe: (session: SourceSession) => Promise<SourceTable>): Promise<string> {
    const session = await mongodb.connect(db.env, testContext());
    try {
      await session.list();
      const table = await describe(session);
      await db.insert('recetas', [{ _id: 99 }]);
      let csv = '';
      const selection = planTable(table, sensitiveRules('mongodb', {}));
      session.check!(selection);
      for await (const { data } of session.read(selection)) csv += data;
      expect(session.consistency).toBe('snapshot');
      return csv;
    } finally {
      await session.close();
      await db.db.collection('recetas').deleteOne({ _id: 99 as never });
    }
  }

  const perProduct = [{ $unwind: '$productos' }, { $sortByCount: '$productos' }, { $sort: { count: -1 } }];

  it('exports what a pipeline answers, in the one snapshot', async () => {
    expect(await csvOf('recetas', perProduct)).toBe('_id,count\nibuprofeno,2\namoxicilina,1\n');
    expect(await csvOf('recetas', [{ $match: { _id: 3 } }])).toBe('_id\n');
    expect(await csvOf('recetas', [{ $project: { _id: 0, dni_paciente: 1 } }])).toBe('dni_paciente\n1\n2\n');
  });

  it('takes declared columns without looking first', async () => {
    const columns = { count: 'int', _id: 'string' };
    expect(await csvOf('recetas', perProduct, { columns })).toBe('count,_id\n2,ibuprofeno\n1,amoxicilina\n');
  });

  it('leaves sensitive fields out wherever they come up, also from another collection', async () => {
    const lookup = { $lookup: { from: 'medicos', localField: 'cmp_medico', foreignField: 'cmp', as: 'medico' } };
    const csv = await csvOf('recetas', [lookup, { $project: { validacion: 1, medico: 1 } }]);
    expect(csv).toContain('""tel"":""1""');
    expect(csv).toContain('""estado"":""ok""');
    expect(csv).not.toContain('NO');
  });

  it('leaves a sensitive field out under another name, or refuses what cannot be followed', async () => {
    const renamed = [{ $project: { nombre: 1, dato: '$contacto.password', tel: '$contacto.tel' } }];
    expect(await csvOf('medicos', renamed)).toBe('_id,nombre,tel\n1,Ana,1\n');
    const refused = { code: 'SOURCE_CONFIG', message: expect.stringContaining('contacto.password') };
    for (const pipeline of [
      [{ $project: { dato: { $concat: ['x', '$contacto.password'] } } }],
      [{ $set: { dato: '$contacto.password' } }, { $set: { otro: '$dato' } }],
      [{ $group: { _id: '$contacto.password' } }],
      [{ $replaceWith: { dato: '$$ROOT.contacto.password' } }],
    ]) {
      await expect(csvOf('medicos', pipeline)).rejects.toMatchObject(refused);
    }
  });

  it('looks through views, and through views over views', async () => {
    const view = (name: string, viewOn: string, pipeline: object[]) =>
      db.db.createCollection(name, { viewOn, pipeline: pipeline as Document[] });
    await view('agenda', 'medicos', [{ $project: { nombre: 1, dato: '$contacto.password', tel: '$contacto.tel' } }]);
    await view('agenda2', 'agenda', [{ $project: { nombre: 1, otro: '$dato' } }]);
    await view('mezcla', 'medicos', [{ $project: { dato: { $concat: ['x', '$contacto.password'] } } }]);
    expect(await csvOfView('agenda')).toBe('_id,nombre,tel\n1,Ana,1\n');
    expect(await csvOf('agenda', [{ $match: { nombre: 'Ana' } }])).toBe('_id,nombre,tel\n1,Ana,1\n');
    const refused = { code: 'SOURCE_CONFIG', message: expect.stringContaining('contacto.password') };
    for (const name of ['agenda2', 'mezcla']) await expect(csvOfView(name)).rejects.toMatchObject(refused);
    await expect(csvOf('agenda', [{ $project: { otro: '$dato' } }])).rejects.toMatchObject(refused);
    await expect(csvOf('mezcla', [])).rejects.toMatchObject(refused);
    for (const name of ['agenda2', 'agenda', 'mezcla']) await db.db.dropCollection(name);
  });

  it('has the server check the pipeline without running it', async () => {
    for (const [collection, pipeline, message] of [
      ['recetas', [{ $match: { $noSuch: 1 } }], /MongoDB says: unknown top level operator/],
      ['recetas', [{ $project: { a: { $noSuch: 1 } } }], /MongoDB says/],
      ['recetas', [{ $out: 'robado' }], /\$out is no stage/],
      ['nada', [], /there is no collection nada/],
    ] as const) {
      await expect(csvOf(collection, [...pipeline])).rejects.toMatchObject({
        code: 'SOURCE_CONFIG',
        message: expect.stringMatching(message),
        hint: expect.stringContaining('datos.json'),
      });
    }
  });
});
