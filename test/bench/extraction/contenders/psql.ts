import { join } from 'node:path';
import { runCommand } from '../../../services/command';
import type { Contender } from '../contender';
import { countCsv } from '../count-rows';
import { TABLE } from '../dataset/row';
import { installed } from './installed';

/** PostgreSQL's own client: `\copy` into a file. */
export function psqlCopy(): Contender {
  return {
    id: 'own',
    title: '`psql \\copy`',
    role: 'reference',
    prepare: async () => (await runCommand(installed('psql'), ['--version'])).trim(),
    program: ({ server, database }, folder) => ({
      command: installed('psql'),
      args: ['-X', '-q', '-c', `\\copy ${TABLE} TO '${join(folder, 'out.csv')}' WITH (FORMAT csv, HEADER)`],
      env: {
        PGHOST: server.host,
        PGPORT: String(server.port),
        PGUSER: server.user,
        PGPASSWORD: server.password,
        PGDATABASE: database,
      },
    }),
    output: (_table, folder) => countCsv(join(folder, 'out.csv')),
  };
}
