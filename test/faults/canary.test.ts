import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { buildImages, containersOf, E2E_PREFIX } from '../e2e/harness/images';
import { runCommand } from '../services/command';
import { describeWith, dockerEnv, pgEnv, s3Env } from '../services/need';
import { inWorld } from './harness/world';

// Seen to fail with the job's settings in the container's `Env` (docker-convert.ts): `docker inspect` told them.
describeWith(['docker', 'nginx', 'postgresql', 's3'], 'fault 29: secrets', () => {
  beforeAll(() => buildImages('postgresql'), 300_000);

  it('show in no log, no answer, no metric, no object and no `docker inspect`, whether a run goes well or not', async () => {
    const password = `canary-${randomBytes(8).toString('hex')}`;
    const { host, port, user, password: admin } = pgEnv();
    const role = `canary_${randomBytes(4).toString('hex')}`;
    const { listenAddress } = dockerEnv();
    await inWorld(
      {
        gateways: 1,
        fromContainers: { host: listenAddress, listen: listenAddress },
        settings: {
          RUNNER: 'docker',
          IMAGE_PREFIX: E2E_PREFIX,
          RUN_ATTEMPTS: '1',
          POSTGRES_USER: role,
          POSTGRES_PASSWORD: password,
        },
      },
      async ({ bucket, gateways: [a], shop, atEnd }) => {
        const client = new Client({ host, port, user, password: admin, database: shop.name });
        await client.connect();
        await client.query(
          `CREATE ROLE ${role} LOGIN PASSWORD '${password}'; GRANT SELECT ON orders, payments TO ${role}`,
        );
        atEnd(async () => {
          await client.query(`REVOKE ALL ON orders, payments FROM ${role}; DROP ROLE ${role}`);
          await client.end();
        });
        const told: string[] = [];
        const release = await shop.hold();
        const runId = await a!.begin();
        let ids: string[] = [];
        while (ids.length === 0) ids = await containersOf(runId);
        told.push(await runCommand('docker', ['inspect', ...ids]));
        await release();
        told.push(JSON.stringify(await a!.endOf(runId)));
        // And once more, refused by the database.
        await client.query(`ALTER ROLE ${role} PASSWORD 'another'`);
        const refused = await a!.post();
        expect(refused.body.error.code).toBe('SOURCE_AUTH');
        told.push(JSON.stringify(refused.body), await a!.log());
        for (const path of [
          '/metrics',
          '/health',
          '/api/ingesta/health',
          '/api/ingesta',
          '/api/ingesta/runs',
          '/openapi.json',
        ]) {
          told.push(JSON.stringify((await a!.get(path)).body));
        }
        for await (const { key } of bucket.lake.list('')) told.push(key, (await bucket.lake.get(key))!.body.toString());
        const all = told.join('\n');
        // It looks where there is something to see.
        expect(all).toContain(runId);
        expect(all).toContain('SOURCE_AUTH');
        for (const secret of [password, s3Env().secretKey]) expect(all).not.toContain(secret);
      },
    );
  });
});
