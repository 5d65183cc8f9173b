import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeWith } from '../services/need';
import { createMysql, createPostgresql, type TestDatabase } from './harness/databases';
import { expectFailure, startTestGateway, type TestGateway } from './harness/gateway';

const sources = [
  { source: 'postgresql' as const, prefix: 'POSTGRES_', create: createPostgresql },
  { source: 'mysql' as const, prefix: 'MYSQL_', create: createMysql },
];

describe.each(sources)('datasets of $source', ({ source, prefix, create }) => {
  describeWith([source], 'from files beside the gateway', () => {
    let database: TestDatabase;
    let folder: string;
    let gateway: TestGateway;
    const dataset = (name: string) => join(folder, 'datasets', source, `${name}.sql`);

    beforeAll(async () => {
      database = await create();
      await database.query(`CREATE TABLE productos (id INT, nombre VARCHAR(20), clave VARCHAR(20));
        INSERT INTO productos VALUES (1, 'Aspirina', 's3cr3t'); CREATE TABLE ofertas (producto_id INT, rebaja INT);
        INSERT INTO ofertas VALUES (1, 20)`);
      folder = await mkdtemp(join(tmpdir(), 'ingesta-datasets-'));
      await mkdir(join(folder, 'datasets', source), { recursive: true });
      await mkdir(join(folder, 'lake'));
      await writeFile(
        dataset('ofertas_completo'),
        'SELECT p.nombre, o.rebaja, p.clave AS c FROM ofertas o JOIN productos p ON p.id = o.producto_id; -- all\n',
      );
      gateway = await startTestGateway({
        ...database.settings(false),
        LAKE_URL: pathToFileURL(join(folder, 'lake')).href,
        DATASETS_DIR: join(folder, 'datasets'),
        [`${prefix}TABLES`]: 'productos',
        RUNNER: 'process',
      });
    });
    afterAll(async () => {
      await gateway?.stop();
      await database?.drop();
      if (folder) await rm(folder, { recursive: true, force: true });
    });

    it('are exported beside the selected tables, without what is sensitive where it comes from', async () => {
      const { status, body } = await gateway.post(source);
      expect({ status, tables: Object.keys(body.result ?? body) }).toEqual({
        status: 200,
        tables: ['productos', 'ofertas_completo'],
      });
      expect(body.result.ofertas_completo.dropped_columns).toEqual([{ name: 'c', reason: 'built-in rule: clave' }]);
      expect(await readFile(new URL(body.result.ofertas_completo.url), 'utf8')).toBe('nombre,rebaja\nAspirina,20\n');
    });

    it('are taken on request by name, and planned', async () => {
      const { body } = await gateway.post(source, { tables: ['ofertas_completo'] });
      expect(Object.keys(body.result)).toEqual(['ofertas_completo']);
      const plan = await gateway.post(source, { dry_run: true });
      expect(Object.keys(plan.body.plan)).toEqual(['productos', 'ofertas_completo']);
    });

    it('stop the run before anything is read where one does not only read', async () => {
      await writeFile(dataset('baja'), 'DELETE FROM productos');
      try {
        const answer = await gateway.post(source);
        expectFailure(answer, 422, 'SOURCE_CONFIG');
        expect(answer.body.error.message).toContain('baja');
      } finally {
        await rm(dataset('baja'));
      }
      expect((await gateway.post(source)).status).toBe(200);
    });
  });
});
