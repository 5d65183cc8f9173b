import { randomUUID } from 'node:crypto';
import { describeWith, motoEndpoint } from '../../../test/services/need';
import { runTable } from '../analytics/engines/distributed/run-tables';
import { awsSettings } from '../aws-settings';
import { Glue } from './glue';
import { GlueRunTables } from './glue-run-tables';
import { glueTable } from './glue-table';

const COLUMNS = [{ source: 'id', name: 'id', type: 'bigint' }];
const tableOf = (run: number) => {
  const runId = `01890a5d-ac96-774b-bcce-${String(run).padStart(12, '0')}`;
  return runTable({ database: 'mysql', table: 'users', runId }, `s3://lake/${run}/`, COLUMNS);
};

describeWith(['moto'], 'the tables for queries in Glue', () => {
  it('go with their runs, and none that somebody else made', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const settings = awsSettings({ ...keys, AWS_ENDPOINT_URL_GLUE: motoEndpoint() }, 'GLUE');
    const glue = new Glue(`test_${randomUUID().replaceAll('-', '')}`, settings);
    // One of them by a name that a run's table could have.
    const theirs = ['mysql_users__backup_20250101', tableOf(0).name];
    for (const name of theirs) await glue.create(glueTable({ ...tableOf(0), name, parameters: {} }));
    const warnings: string[] = [];
    const tables = new GlueRunTables(glue, (message) => warnings.push(message));
    for (const run of [1, 2, 3, 4]) await tables.ensure(tableOf(run));
    const there = (await glue.tables('mysql_users')).map(({ Name }) => Name);
    expect(there.sort()).toEqual([...theirs, tableOf(3).name, tableOf(4).name].sort());
    expect(warnings).toEqual([]);
  });
});
