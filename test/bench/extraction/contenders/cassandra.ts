import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../../services/command';
import { ROOT } from '../../root';
import type { Contender } from '../contender';
import { countCsv, countCsvFolder } from '../count-rows';
import type { LoadedTable } from '../dataset/loaded-table';
import { TABLE } from '../dataset/row';
import { venv } from '../peers/venv';
import { installed } from './installed';

/** As many rows per page as this project's script asks for at most, which is the driver's default, too. */
const FETCH_SIZE = '5000';

/** One SELECT that the driver pages through, and a program that only counts. */
export function cassandraLoop(): Contender {
  return {
    id: 'own',
    title: 'bare driver loop, counts only',
    role: 'reference',
    prepare: async () => `Node ${process.versions.node}`,
    program: (table) => ({
      command: process.execPath,
      args: [join(ROOT, 'test/bench/dist/count-cassandra.js')],
      env: { ...table.settings(false), TABLE, FETCH_SIZE },
    }),
    output: async (_table, _folder, stdout) => ({ rows: Number(stdout), bytes: null }),
  };
}

/** Cassandra's own shell. */
export function cqlshCopy(): Contender {
  let cqlsh = '';
  return {
    id: 'cqlsh',
    title: '`cqlsh COPY TO`',
    role: 'other',
    atMost: 1,
    prepare: async () => {
      cqlsh = await (await venv('cqlsh')).program('cqlsh');
      return (await runCommand(cqlsh, ['--version'])).trim();
    },
    program: async ({ server, database }, folder) => {
      const credentials = join(folder, '..', 'credentials');
      const login = `[PlainTextAuthProvider]\nusername = ${server.user}\npassword = ${server.password}\n`;
      await writeFile(credentials, login, { mode: 0o600 });
      const options = `HEADER = true AND ESCAPE = '"' AND PAGESIZE = ${FETCH_SIZE}`;
      const statement = `COPY ${database}.${TABLE} TO '${join(folder, 'out.csv')}' WITH ${options}`;
      const args = [server.host, String(server.port), '--credentials', credentials, '-u', server.user, '-e', statement];
      return { command: cqlsh, args, env: { LC_ALL: 'C.UTF-8' } };
    },
    output: (_table, folder) => countCsv(join(folder, 'out.csv')),
  };
}

/** DataStax' bulk loader, where it is installed. */
export function dsbulk(): Contender {
  return {
    id: 'dsbulk',
    title: '`dsbulk unload`',
    role: 'other',
    atMost: 2,
    prepare: async () => (await runCommand(installed('dsbulk'), ['--version'])).trim(),
    program: async (table, folder) => {
      const config = join(folder, '..', 'dsbulk.conf');
      await writeFile(config, dsbulkSettings(table), { mode: 0o600 });
      const what = ['-k', table.database, '-t', TABLE, '-url', folder, '-maxErrors', '0'];
      return { command: installed('dsbulk'), args: ['unload', '-f', config, ...what], env: {} };
    },
    output: (_table, folder) => countCsvFolder(folder),
  };
}

const dsbulkSettings = ({ server }: LoadedTable): string => `
datastax-java-driver.basic.contact-points = ["${server.host}:${server.port}"]
datastax-java-driver.basic.load-balancing-policy.local-datacenter = datacenter1
datastax-java-driver.advanced.auth-provider { class = PlainTextAuthProvider
  username = ${JSON.stringify(server.user)}, password = ${JSON.stringify(server.password)} }
dsbulk.connector.csv.escape = "\\""
`;
