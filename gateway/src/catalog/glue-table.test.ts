import { glueTable } from './glue-table';

it('describes a Parquet file as Hive, Athena and Trino know it', () => {
  const types = [
    'bigint',
    'decimal(38,0)',
    'varchar',
    'boolean',
    'double',
    'date',
    'timestamp',
    'timestamp with time zone',
  ];
  const columns = types.map((type, index) => ({ source: `C${index}`, name: `C${index}`, type }));
  const table = glueTable({
    name: 'mysql_users',
    location: 's3://lake/x/',
    columns,
    parameters: { ingesta_table: 'users' },
  });
  expect(table).toMatchObject({
    Name: 'mysql_users',
    TableType: 'EXTERNAL_TABLE',
    Parameters: { EXTERNAL: 'TRUE', classification: 'parquet', ingesta_table: 'users' },
    StorageDescriptor: { Location: 's3://lake/x/' },
  });
  expect(table.StorageDescriptor?.Columns).toEqual([
    { Name: 'c0', Type: 'bigint' },
    { Name: 'c1', Type: 'decimal(38,0)' },
    { Name: 'c2', Type: 'string' },
    { Name: 'c3', Type: 'boolean' },
    { Name: 'c4', Type: 'double' },
    { Name: 'c5', Type: 'date' },
    { Name: 'c6', Type: 'timestamp' },
    { Name: 'c7', Type: 'timestamp' },
  ]);
});
