import { join } from 'node:path';
import { runCommand } from '../../../services/command';
import type { Contender } from '../contender';
import { countLines } from '../count-rows';
import { TABLE } from '../dataset/row';
import { installed } from './installed';

/** The client of MariaDB or MySQL in batch mode. Tabs and escapes are no CSV: it is the speed limit, not the format. */
export function mariadbBatch(): Contender {
  const client = () => installed('mariadb', 'mysql');
  return {
    id: 'own',
    title: '`mariadb --batch --quick`',
    role: 'reference',
    prepare: async () => {
      const said = await runCommand(client(), ['--version']);
      // MariaDB's tells the version of the program first, and then that of the distribution.
      return (/Distrib ([^,]+)/.exec(said) ?? /(Ver [\d.]+)/.exec(said))?.[1] ?? said.trim();
    },
    program: ({ server, database }, folder) => ({
      command: client(),
      args: [
        ...['--no-defaults', '--batch', '--quick', '--default-character-set=utf8mb4', `--host=${server.host}`],
        ...[`--port=${server.port}`, `--user=${server.user}`, '--execute', `SELECT * FROM ${TABLE}`, database],
      ],
      env: { MYSQL_PWD: server.password },
      stdoutFile: join(folder, 'out.tsv'),
    }),
    output: (_table, folder) => countLines(join(folder, 'out.tsv')),
  };
}
