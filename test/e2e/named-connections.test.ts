import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startMysql } from '../services/mysql';
import { describeWith, mysqlEnv } from '../services/need';
import { createMysql } from './harness/databases';
import { startTestGateway } from './harness/gateway';

describeWith(['mysql'], 'two MySQL servers as two sources of one script', () => {
  it('each has its own name, keys and snapshot', async () => {
    // Another process with a password of its own; where a server was given by its URL, that one twice.
    const server = await startMysql();
    const [main, sales] = await Promise.all([createMysql(), createMysql(mysqlEnv(server.env))]);
    const lake = await mkdtemp(join(tmpdir(), 'ingesta-named-'));
    await main.query(`CREATE TABLE t (x VARCHAR(9)); INSERT INTO t VALUES ('main')`);
    await sales.query(`CREATE TABLE t (x VARCHAR(9)); INSERT INTO t VALUES ('sales')`);
    const ventas = Object.entries(sales.settings(false)).map(([name, value]) => [`VENTAS_${name}`, value]);
    const gateway = await startTestGateway({
      ...main.settings(false),
      ...Object.fromEntries(ventas),
      SOURCES: 'ventas=mysql:VENTAS_',
      LAKE_URL: pathToFileURL(lake).href,
      RUNNER: 'process',
    });
    try {
      for (const [source, row] of [
        ['mysql', 'main'],
        ['ventas', 'sales'],
      ] as const) {
        const { status, body } = await gateway.post(source);
        expect({ status, body }).toMatchObject({ status: 200, body: { database: source } });
        expect(body.result.t.url).toContain(`/${source}/t_`);
        expect(await readFile(new URL(body.result.t.url), 'utf8')).toBe(`x\n${row}\n`);
      }
      const { body } = await gateway.get('/health');
      expect(body.data_availability).toMatchObject({ mysql: { t: true }, ventas: { t: true } });
    } finally {
      await gateway.stop();
      await Promise.all([main.drop(), sales.drop(), rm(lake, { recursive: true, force: true })]);
      await server.stop();
    }
  });
});
