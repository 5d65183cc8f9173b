import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SourceSession, SourceTable, TableSelection } from '@ingesta/kit';
import { allTables } from '../../../kit/src/testing/all-tables';
import { testContext } from '../../../kit/src/testing/test-context';
import { files } from '../source';

/** A folder of delivered files, which goes away with the test file. */
export interface Delivery {
  readonly folder: string;
  put(path: string, content: string | Uint8Array): string;
  open(env?: Record<string, string>): Promise<Opened>;
  /** Takes all files away. */
  clear(): void;
  remove(): void;
}

/** A session with what it told; `tables()` was asked already. */
export interface Opened {
  readonly session: SourceSession;
  readonly tables: SourceTable[];
  readonly warnings: string[];
  readonly abort: AbortController;
  select(table: string, columns?: string[], isSensitiveKey?: TableSelection['isSensitiveKey']): TableSelection;
  csv(table: string | TableSelection): Promise<string>;
}

export function newDelivery(): Delivery {
  const folder = mkdtempSync(join(tmpdir(), 'ingesta-files-'));
  const clear = () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  };
  return {
    folder,
    put: (path, content) => {
      const full = join(folder, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, content);
      return full;
    },
    open: (env = { FILES_PATH: folder }) => openSession({ FILES_PATH: folder, ...env }),
    clear,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function openSession(env: Record<string, string>): Promise<Opened> {
  const context = testContext({}, env);
  const { warnings, controller: abort } = context;
  const session = await files.connect(env, context);
  const tables = await allTables(session);
  const select: Opened['select'] = (name, names, isSensitiveKey = () => false) => {
    const table = tables.find((known) => known.name === name);
    if (!table) throw new Error(`No table ${name}`);
    return { table, columns: table.columns.filter((column) => names?.includes(column.name) ?? true), isSensitiveKey };
  };
  const csv: Opened['csv'] = async (what) => {
    const chunks: Buffer[] = [];
    for await (const chunk of session.read(typeof what === 'string' ? select(what) : what)) chunks.push(chunk.data);
    return Buffer.concat(chunks).toString('utf8');
  };
  return { session, tables, warnings, abort, select, csv };
}
