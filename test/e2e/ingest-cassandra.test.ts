import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { generate } from '../../demo/sample/insurance/generate';
import { loadCassandra } from '../../demo/sample/load-cassandra';
import { parseCsv } from '../../scripts/kit/src/testing/parse-csv';
import { cassandraEnv, describeWith } from '../services/need';
import { createCassandra, type TestDatabase } from './harness/databases';
import { expectFailure, startTestGateway, type TestGateway } from './harness/gateway';
import { buildImages, E2E_PREFIX } from './harness/images';

const SCALE = 0.3;

const claims = () => [...generate(SCALE).cassandra.reclamos()];
const payments = () => [...generate(SCALE).cassandra.pagos()];
/** `2025-01-02T15:30:45.123Z` as it stands in a CSV. */
const instant = (iso: string): string => iso.replace('T', ' ').replace('Z', '+00');

async function loadSample(database: TestDatabase): Promise<void> {
  await loadCassandra({ ...cassandraEnv(), database: database.name }, { scale: SCALE });
}

describeWith(['cassandra'], 'the claims in Cassandra, as a process, to a folder', () => {
  let database: TestDatabase;
  let folder: string;
  let gateway: TestGateway;
  beforeAll(async () => {
    database = await createCassandra();
    await loadSample(database);
    folder = await mkdtemp(join(tmpdir(), 'ingesta-cassandra-e2e-'));
    await mkdir(join(folder, 'datasets/cassandra'), { recursive: true });
    await mkdir(join(folder, 'lake'));
    const approved =
      "SELECT id, estado, detalle['canal'] AS canal FROM reclamos WHERE estado = 'aprobado' ALLOW FILTERING;";
    await writeFile(join(folder, 'datasets/cassandra/aprobados.cql'), approved);
    gateway = await startTestGateway({
      ...database.settings(false),
      LAKE_URL: pathToFileURL(join(folder, 'lake')).href,
      DATASETS_DIR: join(folder, 'datasets'),
      SENSITIVE_COLUMNS: 'auditoria.usuario',
      RUNNER: 'process',
    });
  }, 120_000);
  afterAll(async () => {
    await gateway?.stop();
    await database?.drop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const records = async (url: string) => parseCsv(await readFile(new URL(url), 'utf8'));

  it('arrive whole, with the dataset beside them, without what is sensitive', async () => {
    const { status, body } = await gateway.post('cassandra');
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'success', consistency: 'none' } });
    expect(Object.keys(body.result)).toEqual(['auditoria', 'pagos', 'reclamos', 'aprobados']);
    expect(body.result.auditoria.dropped_columns).toEqual([
      { name: 'usuario', reason: 'SENSITIVE_COLUMNS: auditoria.usuario' },
    ]);
    const [header, ...rows] = await records(body.result.reclamos.url);
    const found = rows.map((row) => Object.fromEntries(header!.map((name, i) => [name, row[i]])));
    expect(body.result.reclamos.registros).toBe(claims().length);
    const byId = new Map(found.map((row) => [row.id, row]));
    for (const { id, documentos, detalle, ...claim } of claims()) {
      const row = byId.get(id)!;
      expect(row).toMatchObject({
        ...claim,
        policy_id: String(claim.policy_id),
        client_id: String(claim.client_id),
        fecha: instant(claim.fecha),
      });
      expect(JSON.parse(row.documentos ?? '[]')).toEqual(documentos);
      expect(JSON.parse(row.detalle ?? '{}')).toEqual(detalle);
    }
    const [, ...approved] = await records(body.result.aprobados.url);
    expect(approved).toHaveLength(claims().filter(({ estado }) => estado === 'aprobado').length);
    const [, ...paid] = await records(body.result.pagos.url);
    expect(paid.map(([id]) => id).sort()).toEqual(
      payments()
        .map(({ id }) => id)
        .sort(),
    );
  }, 60_000);

  it('are chosen by name, and a dataset that is none stops everything', async () => {
    const { body } = await gateway.post('cassandra', { tables: ['aprobados'] });
    expect(Object.keys(body.result)).toEqual(['aprobados']);
    const bad = join(folder, 'datasets/cassandra/malo.cql');
    await writeFile(bad, 'TRUNCATE pagos');
    const refused = await gateway.post('cassandra');
    expectFailure(refused, 422, 'SOURCE_CONFIG');
    expect(refused.body.error.message).toContain('Dataset malo');
    await rm(bad);
  }, 60_000);
});

describeWith(['docker', 'cassandra'], 'the claims in Cassandra, as a container, to a folder', () => {
  let database: TestDatabase;
  let lake: string;
  let gateway: TestGateway;
  beforeAll(async () => {
    await buildImages('cassandra');
    database = await createCassandra();
    await loadSample(database);
    lake = await mkdtemp(join(tmpdir(), 'ingesta-cassandra-e2e-'));
    gateway = await startTestGateway({
      ...database.settings(true),
      LAKE_URL: pathToFileURL(lake).href,
      IMAGE_PREFIX: E2E_PREFIX,
      RUNNER: 'docker',
    });
  }, 300_000);
  afterAll(async () => {
    await gateway?.stop();
    await database?.drop();
    if (lake) await rm(lake, { recursive: true, force: true });
  });

  it('arrive whole', async () => {
    const { status, body } = await gateway.post('cassandra', { tables: ['reclamos', 'pagos'] });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { result: { reclamos: { registros: claims().length }, pagos: { registros: payments().length } } },
    });
  }, 120_000);
});
