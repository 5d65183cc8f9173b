import { randomUUID } from 'node:crypto';
import { CreateDatabaseCommand, CreateTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { type ManifestEntry, manifestSchema } from '@ingesta/kit';
import { describeWith, motoEndpoint } from '../../../test/services/need';
import { VersionedGlue } from '../../../test/services/versioned-glue';
import { given } from '../analytics/engines/testing/given-table';
import type { Twin, TwinMaker } from '../analytics/engines/twin';
import { twinColumns } from '../analytics/engines/twin-columns';
import { awsSettings } from '../aws-settings';
import { ApiError } from '../errors';
import { capturedLog } from '../testing/given';
import { Catalog } from './catalog';
import { Glue } from './glue';

const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
const never = () => new AbortController().signal;

describeWith(['moto'], 'the tables in Glue', () => {
  let glue: Glue;
  let catalog: Catalog;
  let lines: string[];
  let broken: string | null;
  let made: string[];
  /** What the twins of a run wait for. */
  let hindered: (runId: string, signal: AbortSignal) => Promise<void> | void;

  beforeEach(() => {
    broken = null;
    made = [];
    hindered = () => undefined;
    glue = new Glue(`test_${randomUUID().replaceAll('-', '')}`, settings(motoEndpoint()));
    catalog = catalogOver(glue);
  });

  const settings = (endpoint: string) => awsSettings({ ...KEYS, AWS_ENDPOINT_URL_GLUE: endpoint }, 'GLUE');
  const catalogOver = (over: Glue) => {
    const captured = capturedLog();
    lines = captured.lines;
    const folderUrl = async (key: string) => `s3://lake/${key.slice(0, key.lastIndexOf('/') + 1)}`;
    return new Catalog({ glue: over, twins, folderUrl, log: captured.log });
  };
  const twins: TwinMaker = {
    makeTwin: async (database, table, entry, signal): Promise<Twin> => {
      await hindered(entry.run_id, signal);
      if (table === broken) throw new ApiError('LAKE_UNAVAILABLE', 'the lake is away');
      made.push(table);
      const key = `_ingesta/parquet/${database}/${table}/${entry.run_id}/data.parquet`;
      return { key, bytes: 1, sha256: '', columns: twinColumns(entry.columns) };
    },
  };
  const entry = (run: number, ...columns: string[]): ManifestEntry => ({
    ...{ key: 'k', url: 'u', bytes: 1, sha256: '', rows: 1, dropped_columns: [], consistency: 'snapshot' },
    ...{ columns: columns.map((name) => given(name, 'integer')), run_id: `r${run}` },
    ...{ taken_at: '2025-01-02T15:30:45.000Z', sensitive_rules: null },
  });
  const manifest = (epoch: number, tables: Record<string, ManifestEntry>, database = 'mysql') =>
    manifestSchema.parse({
      ...{ version: 1, database, run_id: `r${epoch}`, parent: null, taken_at: '2025-01-02T15:30:45.000Z' },
      ...{ epoch, consistency: 'snapshot', image_digest: null, tables },
    });
  const publish = (epoch: number, tables: Record<string, ManifestEntry>) =>
    catalog.publishToCatalog(manifest(epoch, tables), never());
  const locations = async () =>
    Object.fromEntries(
      (await glue.tables('mysql_')).map(({ Name, StorageDescriptor }) => [
        Name,
        StorageDescriptor!.Location!.replace('s3://lake/_ingesta/parquet/mysql/', ''),
      ]),
    );

  it('are made where there is not even a database, and moved by the next run', async () => {
    await publish(1, { users: entry(1, 'id'), agents: entry(1, 'id') });
    expect(await locations()).toEqual({ mysql_users: 'users/r1/', mysql_agents: 'agents/r1/' });
    // A run over one table carries the other one over.
    await publish(2, { users: entry(2, 'id', 'Age'), agents: entry(1, 'id') });
    expect(await locations()).toEqual({ mysql_users: 'users/r2/', mysql_agents: 'agents/r1/' });
    const [users] = await glue.tables('mysql_users');
    expect(users).toMatchObject({
      Parameters: {
        classification: 'parquet',
        ingesta_run_id: 'r2',
        ingesta_database: 'mysql',
        ingesta_table: 'users',
      },
      StorageDescriptor: {
        Columns: [
          { Name: 'id', Type: 'bigint' },
          { Name: 'age', Type: 'bigint' },
        ],
      },
    });
    expect(catalog.problems()).toEqual({});
    expect(lines).toEqual([]);
  });

  it('go when their tables are no more, and no others with them', async () => {
    await publish(1, { users: entry(1, 'id'), agents: entry(1, 'id') });
    await catalog.publishToCatalog(manifest(9, { users: entry(9, 'id') }, 'mysql-old'), never());
    await publish(2, { users: entry(2, 'id') });
    expect(Object.keys(await locations()).sort()).toEqual(['mysql_old_users', 'mysql_users']);
  });

  it('follow a table that was renamed to what a catalog calls the same', async () => {
    await publish(1, { Users: entry(1, 'id'), 'a-b': entry(1, 'id') });
    await publish(2, { users: entry(2, 'id'), a_b: entry(2, 'id') });
    expect(await locations()).toEqual({ mysql_users: 'users/r2/', mysql_a_b: 'a_b/r2/' });
    expect((await glue.tables('mysql_users'))[0]!.Parameters).toMatchObject({ ingesta_table: 'users' });
    expect(catalog.problems()).toEqual({});
  });

  it('are only read where they show the run already, and made once by two gateways', async () => {
    const versioned = new VersionedGlue(motoEndpoint());
    const address = await versioned.start();
    try {
      const [one, other] = [1, 2].map(() => catalogOver(new Glue(glue.database, settings(address))));
      const run = manifest(1, { users: entry(1, 'id'), agents: entry(1, 'id') });
      await Promise.all([one!.publishToCatalog(run, never()), other!.publishToCatalog(run, never())]);
      expect(await locations()).toEqual({ mysql_users: 'users/r1/', mysql_agents: 'agents/r1/' });
      const asked = new Set<string>();
      versioned.before = ({ action }) => void asked.add(action);
      await catalogOver(new Glue(glue.database, settings(address))).publishToCatalog(run, never());
      expect([...asked]).toEqual(['GetTables']);
      expect([one!.problems(), other!.problems()]).toEqual([{}, {}]);
    } finally {
      await versioned.stop();
    }
  });

  it('are not moved back by a gateway that comes late', async () => {
    await publish(2, { users: entry(2, 'id') });
    await publish(1, { users: entry(1, 'id') });
    expect(await locations()).toEqual({ mysql_users: 'users/r2/' });
    await publish(1, {});
    expect(await locations()).toEqual({ mysql_users: 'users/r2/' });
  });

  it('do not come back with a gateway that knows of no later run', async () => {
    await publish(2, { users: entry(2, 'id') });
    await catalogOver(glue).publishToCatalog(manifest(1, { users: entry(1, 'id'), agents: entry(1, 'id') }), never());
    expect(await locations()).toEqual({ mysql_users: 'users/r2/' });
  });

  it('show the later of two runs whose publications meet', async () => {
    let halted = false;
    const begun = new Promise<() => void>((tell) => {
      hindered = (runId, signal) => {
        if (runId !== 'r1') return undefined;
        signal.addEventListener('abort', () => {
          halted = true;
        });
        return new Promise<void>(tell);
      };
    });
    const tables = { users: entry(1, 'id'), agents: entry(1, 'id') };
    const first = publish(1, tables);
    const release = await begun;
    const second = publish(2, { users: entry(2, 'id') });
    const again = publish(1, tables);
    release();
    await Promise.all([first, second, again]);
    expect(halted).toBe(true);
    expect(await locations()).toEqual({ mysql_users: 'users/r2/' });
    expect(catalog.problems()).toEqual({});
  });

  it('are not written over what another gateway wrote since they were read', async () => {
    const versioned = new VersionedGlue(motoEndpoint());
    const address = await versioned.start();
    try {
      const slow = catalogOver(new Glue(glue.database, settings(address)));
      const slowLines = lines;
      const tables = (run: number) => ({ users: entry(run, 'id'), agents: entry(run, 'id') });
      await publish(1, tables(1));
      let updates = 0;
      versioned.before = async ({ action }) => {
        if (action !== 'UpdateTable') return;
        updates += 1;
        // Between its reading and its writing.
        if (updates === 1) await publish(3, tables(3));
      };
      await slow.publishToCatalog(manifest(2, tables(2)), never());
      expect(updates).toBe(2);
      expect(await locations()).toEqual({ mysql_users: 'users/r3/', mysql_agents: 'agents/r3/' });
      expect(slow.problems()).toEqual({});
      expect(slowLines).toEqual([]);
      // What was overtaken by an earlier run is written all the same.
      updates = 0;
      versioned.before = async ({ action }) => {
        if (action === 'UpdateTable' && updates++ === 0) await publish(4, tables(4));
      };
      await slow.publishToCatalog(manifest(5, tables(5)), never());
      expect(await locations()).toEqual({ mysql_users: 'users/r5/', mysql_agents: 'agents/r5/' });
    } finally {
      await versioned.stop();
    }
  });

  it('are left alone where somebody else made them', async () => {
    const client = new GlueClient({
      endpoint: motoEndpoint(),
      region: 'us-east-1',
      credentials: { accessKeyId: 't', secretAccessKey: 't' },
    });
    await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: glue.database } }));
    const TableInput = { Name: 'mysql_users', StorageDescriptor: { Location: 's3://elsewhere/' } };
    await client.send(new CreateTableCommand({ DatabaseName: glue.database, TableInput }));
    await publish(1, { users: entry(1, 'id'), agents: entry(1, 'id') });
    expect(await locations()).toEqual({ mysql_users: 's3://elsewhere/', mysql_agents: 'agents/r1/' });
    expect(catalog.problems()).toEqual({ mysql: expect.stringMatching(/^mysql_users: .*is there already/) });
    // Another database's, by a name that both could give.
    await catalog.publishToCatalog(manifest(9, { b_users: entry(9, 'id') }, 'a'), never());
    await catalog.publishToCatalog(manifest(1, { users: entry(1, 'id') }, 'a-b'), never());
    expect(catalog.problems()).toMatchObject({ 'a-b': expect.stringMatching(/^a_b_users: .*is there already/) });
  });

  it('fail one by one, say so, and are set right by the next run', async () => {
    broken = 'users';
    await publish(1, { users: entry(1, 'id'), agents: entry(1, 'id') });
    expect(await locations()).toEqual({ mysql_agents: 'agents/r1/' });
    expect(catalog.problems()).toEqual({ mysql: 'mysql_users: LAKE_UNAVAILABLE: the lake is away' });
    expect(lines).toEqual([expect.stringContaining('the lake is away')]);
    broken = null;
    await publish(2, { users: entry(2, 'id'), agents: entry(1, 'id') });
    expect(await locations()).toEqual({ mysql_users: 'users/r2/', mysql_agents: 'agents/r1/' });
    expect(catalog.problems()).toEqual({});
  });

  it('never fail a run when Glue is away, and make no twins for nothing', async () => {
    catalog = catalogOver(new Glue('away', { ...settings('http://127.0.0.1:1'), maxAttempts: 1 }));
    await publish(1, { users: entry(1, 'id') });
    expect(catalog.problems()).toEqual({ mysql: expect.stringMatching(/^Glue database away: LAKE_UNAVAILABLE/) });
    expect(made).toEqual([]);
  });

  it('are not touched when the gateway is stopping', async () => {
    await catalog.publishToCatalog(manifest(1, { users: entry(1, 'id') }), AbortSignal.abort(new Error('stop')));
    expect(await locations()).toEqual({});
  });
});
