import { DuckDBInstance } from '@duckdb/node-api';
import { quoteText } from '../with-tables';
import type { WorkerSettings } from './messages';

/**
 * An empty database in memory which reads and writes the two given folders and nothing else: no other file, no network, no
 * extension; and which no statement can configure.
 */
export async function openDatabase(settings: WorkerSettings): Promise<DuckDBInstance> {
  const { cacheFolder, workFolder, cacheMiB, memoryMiB, threads } = settings;
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${memoryMiB}MiB`,
    threads: String(threads),
  });
  const connection = await instance.connect();
  const folders = [cacheFolder, workFolder].map((folder) => quoteText(`${folder}/`)).join(', ');
  for (const setting of [
    `temp_directory = ${quoteText(`${workFolder}/spill`)}`,
    `max_temp_directory_size = '${cacheMiB}MiB'`,
    `TimeZone = 'UTC'`,
    // The exception's type and position, as data.
    'errors_as_json = true',
    'autoinstall_known_extensions = false',
    'autoload_known_extensions = false',
    'allow_community_extensions = false',
    `allowed_directories = [${folders}]`,
    'enable_external_access = false',
    // Last: from here on every SET is an error.
    'lock_configuration = true',
  ])
    await connection.run(`SET GLOBAL ${setting}`);
  connection.closeSync();
  return instance;
}
