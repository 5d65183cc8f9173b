import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../root';
import type { Contender, Output } from '../contender';
import type { LoadedTable } from '../dataset/loaded-table';
import { TABLE } from '../dataset/row';

/** The script's answer, as far as it is looked at. */
interface Result {
  readonly result: Record<string, { url: string; key: string; registros: number; bytes: number }>;
}

/** This project's script as a process of this machine, writing into a folder. `env` are settings besides the usual. */
export function scriptToFolder(
  source: string,
  title: string,
  env: Record<string, string> = {},
  id = 'script',
): Contender {
  return {
    id,
    title,
    role: 'ours',
    prepare: async () => `Node ${process.versions.node}`,
    program: (table, folder) =>
      scriptProcess(source, { ...table.settings(false), LAKE_URL: `file://${folder}`, ...env }),
    output: async (_table, _folder, stdout) => {
      const { url, registros } = resultOf(stdout);
      return { rows: registros, bytes: (await stat(fileURLToPath(url))).size };
    },
  };
}

/** How the script is run as a process, as the process runner does. */
export function scriptProcess(source: string, env: Record<string, string>) {
  return {
    command: process.execPath,
    args: commandOf(source),
    env: { INGESTA_SOURCE: source, ...env },
  };
}

/** What the script says of the one table. */
export function resultOf(stdout: string): { url: string; key: string } & Output & { registros: number } {
  const { result } = JSON.parse(stdout) as Result;
  const [entry, ...more] = Object.values(result);
  if (!entry || more.length > 0 || !(TABLE in result || `public.${TABLE}` in result)) {
    throw new Error(`took ${Object.keys(result).join(', ') || 'nothing'} instead of ${TABLE}`);
  }
  return { ...entry, rows: entry.registros };
}

/** The job for a script that gets it on stdin, so that no password stands in a container's settings. */
export function jobOf(source: string, table: LoadedTable, env: Record<string, string>): string {
  const timestamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '_');
  return JSON.stringify({
    ...{ database: source, run_id: table.database.replaceAll('_', '-'), attempt: 1, nonce: 'bench', timestamp },
    ...{ deadline: null, tables: null, format: 'csv', datasets: [], dry_run: false },
    env: { ...table.settings(true), ...env },
  });
}

/** What stands behind `node` in the source's description. */
function commandOf(source: string): string[] {
  const folder = join(ROOT, 'scripts', source);
  const { command } = JSON.parse(readFileSync(join(folder, 'source.json'), 'utf8')) as { command: string[] };
  return command.slice(1).map((argument) => (argument.endsWith('.js') ? join(folder, argument) : argument));
}
