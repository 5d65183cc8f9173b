import { randomUUID } from 'node:crypto';
import { CreateDatabaseCommand, CreateTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { type ManifestEntry, manifestSchema } from '@ingesta/kit';
import { describeWith, motoEndpoint } from '../../../test/services/need';
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

  beforeEach(() => {
    broken = null;
    made = [];
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
    makeTwin: async (database, table, entry): Promise<Twin> => {
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
  const manifest = (epoch: number, tables: Record<string, ManifestEntry>) =>
    manifestSchema.parse({
      ...{ version: 1, database: 'mysql', run_id: `r${epoch}`, parent: null, taken_at: '2025-01-02T15:30:45.000Z' },
      ...{ epoch, consistency: 'snapshot', image_digest: null, tables },
    });
  const publish = (epoch: number, tables: Record<string, ManifestEntry>) =>
    catalog.publishToCatalog('mysql', manifest(epoch, tables), never());
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
    await catalog.publishToCatalog('mysql-old', manifest(9, { users: entry(9, 'id') }), never());
    await publish(2, { users: entry(2, 'id') });
    expect(Object.keys(await locations()).sort()).toEqual(['mysql_old_users', 'mysql_users']);
  });

  it('are not moved back by a gateway that comes late', async () => {
    await publish(2, { users: entry(2, 'id') });
    await publish(1, { users: entry(1, 'id') });
    expect(await locations()).toEqual({ mysql_users: 'users/r2/' });
    await publish(1, {});
    expect(await locations()).toEqual({ mysql_users: 'users/r2/' });
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
    await catalog.publishToCatalog(
      'mysql',
      manifest(1, { users: entry(1, 'id') }),
      AbortSignal.abort(new Error('stop')),
    );
    expect(await locations()).toEqual({});
  });
});
