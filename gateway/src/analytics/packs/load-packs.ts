import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { SqlChecker } from '../engines/engine';
import { checkSql } from './check-sql';
import type { Pack } from './pack';
import { PackError, type PackProblem, type Report } from './pack-error';
import { parseRouteFile, type UncheckedRoute } from './route-file';
import { parseSchema } from './schema-file';

export interface PackSettings {
  /** Folder of the packs that come with the gateway; null where there is none. */
  shipped: string | null;
  /** Folder of more packs. */
  mounted: string | null;
  /** Names of the shipped packs to load; null for all. */
  chosen: readonly string[] | null;
}

const SCHEMA = 'schema.sql';

/**
 * Loads and checks the packs, once. `taken` are the first parts of the paths that the gateway itself serves.
 * Throws `PackError` with everything that is wrong.
 */
export async function loadPacks(
  settings: PackSettings,
  taken: ReadonlySet<string>,
  checker: SqlChecker,
): Promise<Pack[]> {
  const problems: PackProblem[] = [];
  const reportFor =
    (file: string): Report =>
    (line, message) =>
      void problems.push({ file, line, message });

  const drafts = foldersOf(settings, reportFor).map((folder) => readPack(folder, reportFor));
  checkRoutes(
    drafts.flatMap(({ routes }) => routes),
    taken,
    reportFor,
  );
  const packs: Pack[] = [];
  for (const { schemaFile, routes, ...pack } of drafts) {
    // Over tables that were not understood no engine has anything to say.
    if (problems.some(({ file }) => file === schemaFile)) continue;
    packs.push({ ...pack, routes: await checkSql(routes, [...pack.tables.values()], checker, reportFor) });
  }
  if (problems.length > 0) throw new PackError(problems);
  return packs;
}

/** The folders to load: the chosen ones of those shipped, and all of the mounted ones. */
function foldersOf({ shipped, mounted, chosen }: PackSettings, reportFor: (file: string) => Report): string[] {
  const own = shipped === null ? [] : subfolders(shipped);
  if (mounted !== null && !isFolder(mounted)) reportFor(mounted)(null, 'PACKS_DIR names it, and it is no folder');
  const added = mounted !== null && isFolder(mounted) ? subfolders(mounted) : [];
  for (const name of chosen ?? []) {
    if (![...own, ...added].some((folder) => basename(folder) === name)) {
      const known = own.map((folder) => basename(folder)).join(', ') || '(none)';
      reportFor(name)(null, `PACKS names it, and there is no such pack; shipped are ${known}`);
    }
  }
  for (const folder of added) {
    const clash = own.find((other) => basename(other) === basename(folder));
    if (clash) reportFor(folder)(null, 'a pack of this name comes with the gateway: call it differently');
    if (!existsSync(join(folder, SCHEMA))) reportFor(folder)(null, `a pack needs a ${SCHEMA} with the tables it reads`);
  }
  if (mounted !== null && isFolder(mounted)) {
    for (const file of readdirSync(mounted).filter((name) => name.endsWith('.sql'))) {
      reportFor(join(mounted, file))(null, `put it into a folder, its pack: ${join(mounted, 'mine', file)}`);
    }
  }
  return [...own.filter((folder) => chosen === null || chosen.includes(basename(folder))), ...added];
}

interface Draft extends Omit<Pack, 'routes'> {
  schemaFile: string;
  routes: UncheckedRoute[];
}

function readPack(folder: string, reportFor: (file: string) => Report): Draft {
  const name = basename(folder);
  const schemaFile = join(folder, SCHEMA);
  const schema = existsSync(schemaFile) ? readFileSync(schemaFile, 'utf8') : '';
  const tables = parseSchema(schema, reportFor(schemaFile));
  const files = sqlFiles(folder).filter((file) => file !== schemaFile);
  const routes = files.map((file) =>
    parseRouteFile({ pack: name, file, text: readFileSync(file, 'utf8') }, tables, reportFor(file)),
  );
  return { name, schemaFile, tables, routes };
}

function checkRoutes(
  routes: readonly UncheckedRoute[],
  taken: ReadonlySet<string>,
  reportFor: (file: string) => Report,
) {
  const byPath = new Map<string, UncheckedRoute>();
  for (const route of routes) {
    const { path, file, routeLine } = route;
    const first = path.split('/')[1] ?? '';
    const same = byPath.get(path);
    if (same) reportFor(file)(routeLine, `${path} is the route of ${same.file} already`);
    if (taken.has(first)) reportFor(file)(routeLine, `${path} clashes with the gateway's own routes under /${first}`);
    byPath.set(path, route);
  }
}

/** Mounted from a Kubernetes ConfigMap, a folder also holds `..data` and the like. */
const isHidden = (name: string) => name.startsWith('.');

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const subfolders = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => !isHidden(name) && isFolder(join(folder, name)))
    .sort()
    .map((name) => join(folder, name));

function sqlFiles(folder: string): string[] {
  return [
    ...subfolders(folder).flatMap(sqlFiles),
    ...readdirSync(folder)
      .filter((name) => name.endsWith('.sql') && !isHidden(name))
      .sort()
      .map((name) => join(folder, name)),
  ];
}
