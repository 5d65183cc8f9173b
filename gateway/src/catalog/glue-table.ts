import type { TableInput } from '@aws-sdk/client-glue';
import type { TwinColumn } from '../analytics/engines/twin-columns';

export interface GlueTable {
  name: string;
  /** URL of the folder that holds one Parquet file alone, with a slash at its end. */
  location: string;
  columns: readonly TwinColumn[];
  /** What the table tells of itself. */
  parameters: Readonly<Record<string, string>>;
}

const PARQUET = 'org.apache.hadoop.hive.ql.io.parquet';

/** A typed table over one Parquet file, as Athena, Trino and Spark read it. */
export const glueTable = ({ name, location, columns, parameters }: GlueTable): TableInput => ({
  Name: name,
  TableType: 'EXTERNAL_TABLE',
  Parameters: { EXTERNAL: 'TRUE', classification: 'parquet', ...parameters },
  StorageDescriptor: {
    Columns: columns.map((column) => ({ Name: column.name.toLowerCase(), Type: hiveType(column.type) })),
    Location: location,
    InputFormat: `${PARQUET}.MapredParquetInputFormat`,
    OutputFormat: `${PARQUET}.MapredParquetOutputFormat`,
    SerdeInfo: {
      SerializationLibrary: `${PARQUET}.serde.ParquetHiveSerDe`,
      Parameters: { 'serialization.format': '1' },
    },
  },
});

/** Hive has one type for points in time, and Parquet's instants are read as UTC. */
function hiveType(type: string): string {
  if (type === 'varchar') return 'string';
  return type.startsWith('timestamp') ? 'timestamp' : type;
}
