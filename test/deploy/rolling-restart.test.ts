import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inWorld } from '../faults/harness/world';
import { describeWith } from '../services/need';

const ROUTE = '/tienda/generaciones';

/** A pack over the shop: one route. */
async function writePack(folder: string): Promise<void> {
  await mkdir(join(folder, 'tienda'));
  await writeFile(
    join(folder, 'tienda/schema.sql'),
    'CREATE TABLE postgresql_orders (\n  id bigint,\n  generation bigint\n);\n',
  );
  const route = [
    `-- route: ${ROUTE}`,
    '-- summary: Orders by generation',
    '-- tables: postgresql.orders',
    '-- example: generation = 0',
    '',
    '-- name: rows :many',
    'SELECT generation, count(*) AS orders FROM postgresql_orders GROUP BY generation ORDER BY generation',
    '',
  ];
  await writeFile(join(folder, 'tienda/generaciones.sql'), route.join('\n'));
}

describeWith(
  ['nginx', 'postgresql', 's3'],
  'two gateways behind nginx, restarted one after the other under load',
  () => {
    const packs = mkdtempSync(join(tmpdir(), 'ingesta-packs-'));
    afterAll(() => rmSync(packs, { recursive: true, force: true }));

    it('fail no analytics GET and lose no run', async () => {
      await writePack(packs);
      const settings = { PACKS_DIR: packs, LEASE_TTL: '20' };
      await inWorld({ settings }, async ({ nginx, gateways, addGateway }) => {
        expect((await nginx.post()).status).toBe(200);
        let going = true;
        const gets: number[] = [];
        const runs = new Set<string>();
        /** One ingestion, repeated with its key until it is through: what a caller who wants it done does. */
        const ingest = async () => {
          const key = randomUUID();
          for (;;) {
            const { status, body } = await nginx.post('postgresql', { headers: { 'Idempotency-Key': key } });
            if (status === 200) return void runs.add(body.run_id);
            expect(body.error.code).toMatch(/^(RUN_IN_PROGRESS|LEASE_LOST|GATEWAY_UNAVAILABLE|LAKE_UNAVAILABLE)$/);
            await sleep(100);
          }
        };
        const readers = Array.from({ length: 4 }, async () => {
          while (going) {
            gets.push((await nginx.get(ROUTE)).status);
            await sleep(100); // Below the balancer's rate.
          }
        });
        const writer = (async () => {
          let asked = 0;
          for (; going; asked += 1) await ingest();
          return asked;
        })();
        for (const gateway of [...gateways]) {
          const before = runs.size;
          expect(await gateway.stop('SIGTERM')).toBe(0);
          await addGateway({ settings: { PORT: new URL(gateway.url).port } });
          // Each restart happens among runs.
          while (runs.size < before + 2) await sleep(50);
        }
        going = false;
        await Promise.all(readers);
        // Every ingestion that was asked for was done, by a run of its own.
        const ingestions = await writer;
        expect(runs.size).toBe(ingestions);
        expect(gets.length).toBeGreaterThan(0);
        expect(gets.filter((status) => status !== 200)).toEqual([]);
        const { body } = await nginx.get('/api/ingesta/runs?limit=100');
        for (const { state } of body.runs) expect(['succeeded', 'failed']).toContain(state);
        expect((await nginx.get(ROUTE)).body.rows).toEqual([{ generation: 0, orders: 20 }]);
      });
    }, 180_000);
  },
);
