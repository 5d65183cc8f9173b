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

  const csvOf = (collection: string, pipeline: object[], more: object = {}, add?: string): Promise<string> => {
    const dataset = { name: 'datos', text: JSON.stringify({ collection, pipeline, ...more }) };
    return exported((session) => session.dataset!(dataset), add);
  };

  const csvOfView = (name: string, add?: string): Promise<string> =>
    exported(async (session) => (await session.describe([name]))[0]!, add);

  const view = (name: string, viewOn: string, pipeline: object[]) =>
    db.db.createCollection(name, { viewOn, pipeline: pipeline as Document[] });

  async function exported(describe: (session: SourceSession) => Promise<SourceTable>, add?: string): Promise<string> {
    const session = await mongodb.connect(db.env, testContext());
    try {
      await session.list();
      const table = await describe(session);
      await db.insert('recetas', [{ _id: 99 }]);
      let csv = '';
      const selection = planTable(table, sensitiveRules('mongodb', { add }));
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

  it('knows the fields of a collection by its name, wherever their values go', async () => {
    const add = 'medicos.nombre,medicos.contacto.tel';
    await view('lista', 'medicos', [{ $project: { nombre: 1, c: '$contacto' } }]);
    expect(await csvOfView('lista', add)).toBe('_id,c\n1,{}\n');
    expect(await csvOf('lista', [{ $project: { _id: 0, otro: '$c', n: '$nombre' } }], {}, add)).toBe('otro\n{}\n');
    const lookup = { $lookup: { from: 'lista', localField: 'cmp_medico', foreignField: 'cmp', as: 'm' } };
    const found = { $set: { m: { $first: '$m' } } };
    expect(await csvOf('recetas', [{ $limit: 1 }, lookup, { $project: { m: 1 } }], {}, add)).not.toContain('Ana');
    const refused = { code: 'SOURCE_CONFIG', message: expect.stringMatching(/nombre|tel/) };
    for (const [collection, pipeline] of [
      ['medicos', [{ $group: { _id: '$nombre' } }]],
      ['lista', [{ $group: { _id: '$c.tel' } }]],
      ['recetas', [lookup, found, { $project: { dato: '$m.nombre' } }]],
    ] as const) {
      await expect(csvOf(collection, [...pipeline], {}, add)).rejects.toMatchObject(refused);
    }
    expect(await csvOf('medicos', [{ $group: { _id: '$nombre' } }], {}, 'recetas.nombre')).toBe('_id\nAna\n');
    await db.db.dropCollection('lista');
  });

  it('looks through the views that a pipeline looks values up in', async () => {
    await view('agenda', 'medicos', [{ $project: { cmp: 1, dato: '$contacto.password' } }]);
    const lookup = { $lookup: { from: 'agenda', localField: 'cmp_medico', foreignField: 'cmp', as: 'm' } };
    const refused = { code: 'SOURCE_CONFIG', message: expect.stringContaining('contacto.password') };
    for (const stage of [lookup, { $facet: { a: [lookup] } }, { $unionWith: 'agenda' }]) {
      await expect(csvOf('recetas', [stage])).rejects.toMatchObject(refused);
    }
    await db.db.dropCollection('agenda');
  });

  it('takes no view that makes values of the names of fields', async () => {
    await view('pares', 'medicos', [{ $project: { datos: { $objectToArray: '$contacto' } } }]);
    const refused = { code: 'SOURCE_CONFIG', message: expect.stringContaining('$objectToArray') };
    await expect(csvOfView('pares')).rejects.toMatchObject(refused);
    await expect(csvOf('pares', [{ $match: { _id: 1 } }])).rejects.toMatchObject(refused);
    await expect(csvOf('recetas', [{ $unionWith: 'pares' }])).rejects.toMatchObject(refused);
    await db.db.dropCollection('pares');
  });

  it('says which views it cannot look behind', async () => {
    await view('oculta', 'medicos', [{ $project: { dato: '$contacto.password' } }]);
    const resource = { db: db.db.databaseName, collection: 'oculta' };
    await db.db.command({ createRole: 'ojo', privileges: [{ resource, actions: ['find'] }], roles: [] });
    await db.db.command({ createUser: 'ojo', pwd: 'ojo', roles: ['ojo'] });
    const context = testContext();
    const user = { MONGO_USER: 'ojo', MONGO_PASSWORD: 'ojo', MONGO_AUTH_SOURCE: resource.db };
    const session = await mongodb.connect({ ...db.env, ...user }, context);
    try {
      await session.list();
      await session.describe(['oculta']);
      expect(context.warnings).toEqual([
        expect.stringMatching(/^View oculta cannot be looked behind.*listCollections/),
      ]);
    } finally {
      await session.close();
      for (const command of [{ dropUser: 'ojo' }, { dropRole: 'ojo' }, { drop: 'oculta' }])
        await db.db.command(command);
    }
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
