import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Column, type Lake, openLake } from '@ingesta/kit';
import { generate } from '../../demo/sample/insurance/generate';
import { deliver } from '../../demo/sample/ventas/generate';
import { type Tables, writeCsvFiles } from '../../demo/sample/write-csv-files';
import type { DeclaredTable } from '../../gateway/src/analytics/engines/engine';
import { parseSchema } from '../../gateway/src/analytics/packs/schema-file';
import { commitSnapshot } from '../../gateway/src/testing/commit-snapshot';
import { ROOT } from '../bench/root';

const ANALYTICS = join(ROOT, 'analytics');

/** That of the oldest snapshot is what ages and windows count from. */
const TAKEN_AT: Record<string, string> = {
  mysql: '2026-11-03T23:59:59.999Z',
  postgresql: '2026-11-04T00:00:00.000Z',
  cassandra: '2026-11-05T10:00:00.000Z',
  ventas: '2026-11-06T10:00:00.000Z',
};

/** How the tables come: with the types of their databases, or as text, as files are delivered. */
export type Typing = 'typed' | 'text';

export interface SampleLake {
  lake: Lake;
  env: { LAKE_URL: string };
  remove(): Promise<void>;
}

/** The whole sample in a folder lake, committed. */
export async function sampleLake(typing: Typing = 'typed'): Promise<SampleLake> {
  const { mysql, postgresql, cassandra } = generate();
  return lakeOf({ mysql, postgresql, cassandra, ventas: { ...deliver() } }, typing);
}

/** Tables by database, committed in a folder lake. A table without rows has a header, of what the packs declare. */
export async function lakeOf(databases: Readonly<Record<string, Tables>>, typing: Typing): Promise<SampleLake> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-analytics-'));
  const env = { LAKE_URL: pathToFileURL(join(folder, 'lake')).href };
  await mkdir(join(folder, 'lake'));
  const lake = await openLake(env);
  const declared = await declaredTables();
  for (const [index, [database, tables]] of Object.entries(databases).entries()) {
    const files = join(folder, database);
    await writeCsvFiles(files, typing === 'typed' && database === 'cassandra' ? withInstants(tables) : tables);
    const committed = Object.keys(tables).map(async (table) => {
      const known = declared.get(`${database}_${table}`);
      const written = await readFile(join(files, `${table}.csv`));
      const csv = written.length > 0 ? written : Buffer.from(`${known!.columns.map(({ name }) => name).join(',')}\n`);
      return [table, { csv, columns: columnsOf(csv, typing === 'typed' ? known : undefined, database) }] as const;
    });
    const runId = `01890a5d-ac96-774b-bcce-b302099a805${index}`;
    await commitSnapshot(lake, database, Object.fromEntries(await Promise.all(committed)), {
      runId,
      takenAt: TAKEN_AT[database]!,
    });
  }
  return { lake, env, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function declaredTables(): Promise<Map<string, DeclaredTable>> {
  const report = (_: number | null, message: string) => {
    throw new Error(message);
  };
  const schemas = ['primac', 'ventas'].map((pack) => readFile(join(ANALYTICS, pack, 'schema.sql'), 'utf8'));
  return new Map((await Promise.all(schemas)).flatMap((text) => [...parseSchema(text, report)]));
}

const LOGICAL: Record<string, Column['logical_type']> = {
  bigint: 'integer',
  double: 'float',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
};

/** Points in time as Cassandra's script writes them: they are instants, and say so. */
const withInstants = (tables: Tables): Tables =>
  Object.fromEntries(
    Object.entries(tables).map(([table, rows]) => [
      table,
      function* () {
        for (const row of rows()) {
          const { fecha } = row as { fecha?: string | null };
          yield !fecha ? row : { ...row, fecha: fecha.replace(/T(.+)Z$/, ' $1+00') };
        }
      },
    ]),
  );

/** What the pack declares is what the database has; all other columns are text. Cassandra's decimals promise no digits. */
function columnsOf(csv: Buffer, declared: DeclaredTable | undefined, database: string) {
  const header = csv.subarray(0, csv.indexOf('\n')).toString('utf8').split(',');
  return header.map((name) => {
    const type = declared?.columns.find((column) => column.name === name)?.type ?? 'varchar';
    const logical_type = type.startsWith('decimal') ? 'decimal' : (LOGICAL[type] ?? 'text');
    if (database !== 'cassandra') return { name, logical_type, source_type: type.replace('decimal', 'numeric') };
    const instant = logical_type === 'timestamp' ? 'timestamptz' : logical_type;
    return { name, logical_type: instant, source_type: type.replace(/\(.*/, '') };
  });
}
