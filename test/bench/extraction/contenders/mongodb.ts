import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../../services/command';
import { ROOT } from '../../root';
import type { Contender } from '../contender';
import { countCsv } from '../count-rows';
import type { LoadedTable } from '../dataset/loaded-table';
import { TABLE } from '../dataset/row';
import { installed } from './installed';

const FIELDS = '_id,account,amount,ratio,active,born,seen,reference,code,note,attributes,payload';

/** A cursor of the driver, and a program that only counts: as objects, or as the bytes that came. */
export function mongodbLoop(raw: boolean): Contender {
  return {
    id: raw ? 'loop-raw' : 'own',
    title: raw ? 'bare driver loop, `raw: true`, counts only' : 'bare driver loop, counts only',
    role: raw ? 'other' : 'reference',
    prepare: async () => `Node ${process.versions.node}`,
    program: (table) => ({
      command: process.execPath,
      args: [join(ROOT, 'test/bench/dist/count-mongodb.js')],
      env: { MONGO_URI: uri(table), MONGO_DATABASE: table.database, COLLECTION: TABLE, ...(raw && { RAW: '1' }) },
    }),
    output: async (_table, _folder, stdout) => ({ rows: Number(stdout), bytes: null }),
  };
}

/** MongoDB's own exporter, where it is installed. */
export function mongoexport(): Contender {
  return {
    id: 'mongoexport',
    title: '`mongoexport --type csv`',
    role: 'other',
    atMost: 2,
    prepare: async () => (await runCommand(installed('mongoexport'), ['--version'])).split('\n')[0]!.trim(),
    program: async (table, folder) => {
      // Its only way to take a password that no process list shows.
      const config = join(folder, '..', 'mongoexport.yaml');
      await writeFile(config, `uri: ${JSON.stringify(uri(table))}\n`, { mode: 0o600 });
      const what = [`--db=${table.database}`, `--collection=${TABLE}`, '--type=csv', `--fields=${FIELDS}`];
      const args = [`--config=${config}`, ...what, '--quiet', `--out=${join(folder, 'out.csv')}`];
      return { command: installed('mongoexport'), args, env: {} };
    },
    output: (_table, folder) => countCsv(join(folder, 'out.csv')),
  };
}

function uri({ server }: LoadedTable): string {
  const login = `${encodeURIComponent(server.user)}:${encodeURIComponent(server.password)}`;
  return `mongodb://${login}@${server.host}:${server.port}/?directConnection=true&authSource=admin`;
}
