import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeWith, mongoEnv } from '../services/need';
import { createMongodb, type DocumentDatabase } from './harness/databases';
import { expectFailure, startTestGateway, type TestGateway } from './harness/gateway';
import { buildImages, E2E_PREFIX } from './harness/images';
import { type Bucket, createBucket } from './harness/s3';

const MEDICOS_CSV = `_id,cmp,colegiatura_valida,contacto,especialidad,nombre
1,12345,true,"{""email"":""ana@example.org""}",Cardiología,"Ana ""la doctora"" Ríos"
2,67890,false,"{""email"":""luis@example.org"",""sedes"":[{""nombre"":""Lima""}]}",,Luis
`;
const RECETAS_CSV = `_id,cmp_medico,dni_paciente,pdf,productos,validacion
1,12345,00000001,ff00,"[""ibuprofeno"",""amoxicilina""]","{""estado"":""ok""}"
2,12345,00000002,,"[""ibuprofeno""]",
`;

/** The pharmacy's two collections, with passwords at two depths. */
async function fill(database: DocumentDatabase): Promise<void> {
  const contacto = { email: 'ana@example.org', password: 'CANARY-1' };
  const sedes = [{ nombre: 'Lima', password_hash: 'CANARY-2' }];
  const especialidad = 'Cardiología';
  await database.insert('medicos', [
    { _id: 1, cmp: 12345, nombre: 'Ana "la doctora" Ríos', especialidad, colegiatura_valida: true, contacto },
    { _id: 2, cmp: 67890, nombre: 'Luis', colegiatura_valida: false, contacto: { email: 'luis@example.org', sedes } },
  ]);
  await database.insert('recetas', [
    {
      _id: 1,
      dni_paciente: '00000001',
      cmp_medico: 12345,
      productos: ['ibuprofeno', 'amoxicilina'],
      pdf: Buffer.from('ff00', 'hex'),
      validacion: { estado: 'ok' },
    },
    { _id: 2, dni_paciente: '00000002', cmp_medico: 12345, productos: ['ibuprofeno'] },
  ]);
}

describeWith(['mongodb'], 'MongoDB as a process, to a folder, without Docker', () => {
  let database: DocumentDatabase;
  let folder: string;
  let gateway: TestGateway;
  const dataset = (name: string) => join(folder, 'datasets/mongodb', `${name}.json`);

  beforeAll(async () => {
    database = await createMongodb();
    await fill(database);
    folder = await mkdtemp(join(tmpdir(), 'ingesta-mongodb-e2e-'));
    await mkdir(join(folder, 'datasets/mongodb'), { recursive: true });
    await mkdir(join(folder, 'lake'));
    const pipeline = [{ $unwind: '$productos' }, { $sortByCount: '$productos' }, { $sort: { count: -1 } }];
    await writeFile(dataset('recetados'), JSON.stringify({ collection: 'recetas', pipeline }));
    gateway = await startTestGateway({
      ...database.settings(false),
      LAKE_URL: pathToFileURL(join(folder, 'lake')).href,
      DATASETS_DIR: join(folder, 'datasets'),
      RUNNER: 'process',
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    await database?.drop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('answers with the contract, and the folder holds the CSVs', async () => {
    const { status, body } = await gateway.post('mongodb');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { status: 'success', database: 'mongodb', consistency: 'snapshot' },
    });
    expect(Object.keys(body).slice(0, 3)).toEqual(['status', 'database', 'result']);
    expect(Object.keys(body.result)).toEqual(['medicos', 'recetas', 'recetados']);
    expect(Object.keys(body.result.medicos).slice(0, 2)).toEqual(['url', 'registros']);
    expect(body.result.medicos.registros).toBe(2);
    expect(body.result.medicos.dropped_columns.map(({ name }: { name: string }) => name).sort()).toEqual([
      'contacto.password',
      'contacto.sedes.password_hash',
    ]);
    const url = new URL(body.result.medicos.url);
    expect(url.pathname).toMatch(/\/mongodb\/medicos_\d{8}_\d{6}\.csv$/);
    expect(await readFile(url, 'utf8')).toBe(MEDICOS_CSV);
    expect(await readFile(new URL(body.result.recetas.url), 'utf8')).toBe(RECETAS_CSV);
    expect(await readFile(new URL(body.result.recetados.url), 'utf8')).toBe('_id,count\nibuprofeno,2\namoxicilina,1\n');
  });

  it('checks the collections and the datasets before it reads anything', async () => {
    expectFailure(await gateway.post('mongodb', { tables: ['medicos', 'nope'] }), 422, 'TABLE_NOT_FOUND');
    await writeFile(dataset('robo'), JSON.stringify({ collection: 'medicos', pipeline: [{ $out: 'robado' }] }));
    try {
      const answer = await gateway.post('mongodb');
      expectFailure(answer, 422, 'SOURCE_CONFIG');
      expect(answer.body.error.message).toContain('robo');
    } finally {
      await rm(dataset('robo'));
    }
  });
});

describeWith(['docker', 's3', 'mongodb'], 'MongoDB in a container, to S3', () => {
  let database: DocumentDatabase;
  let bucket: Bucket;
  let gateway: TestGateway;

  beforeAll(async () => {
    await buildImages('mongodb');
    database = await createMongodb();
    await fill(database);
    bucket = await createBucket();
    const settings = { ...database.settings(true), ...bucket.settings(true) };
    gateway = await startTestGateway({ ...settings, RUNNER: 'docker', IMAGE_PREFIX: E2E_PREFIX });
  });
  afterAll(async () => {
    await gateway?.stop();
    await database?.drop();
  });

  it('leaves the CSVs in the bucket, and no password anywhere', async () => {
    const { status, body } = await gateway.post('mongodb');
    expect({ status, body }).toMatchObject({ status: 200, body: { consistency: 'snapshot' } });
    const [, key] = body.result.medicos.url.split(`s3://${bucket.name}/`);
    expect(await bucket.read(key)).toBe(MEDICOS_CSV);
    expect(await gateway.log()).not.toContain(mongoEnv().password);
    for (const found of await bucket.keys()) expect(await bucket.read(found)).not.toContain('CANARY');
  });
});
