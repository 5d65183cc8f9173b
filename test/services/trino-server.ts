import { access, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder } from './cache-folder';
import { findProgram, isExecutable, runCommand } from './command';
import { canCopyJars, copyJars } from './maven';

export const TRINO_VERSION = '483';
const FILES = join(__dirname, 'trino');

/** A Java development kit that Trino runs on: JAVA25_HOME, or one beside the machine's Java. */
export async function java25(): Promise<string | undefined> {
  const java = findProgram('java');
  const beside = java ? dirname(dirname(dirname(await realpath(java)))) : '/usr/lib/jvm';
  const found = await readdir(beside).catch((): string[] => []);
  const homes = [
    process.env.JAVA25_HOME ?? '',
    ...found.filter((name) => /25/.test(name)).map((name) => join(beside, name)),
  ];
  return homes.map((home) => join(home, 'bin')).find((bin) => isExecutable(join(bin, 'java')));
}

/** The folder of the server's jars, where an earlier run left it whole. */
export async function cachedServer(): Promise<string | undefined> {
  const home = join(cacheFolder('trino'), TRINO_VERSION);
  return access(join(home, 'lib/starter.jar')).then(
    () => home,
    () => undefined,
  );
}

/** Has Maven bring the jars of the server and of its Hive connector, where that is allowed. */
export async function fetchServer(): Promise<string | undefined> {
  const bin = await java25();
  if (!canCopyJars() || !bin || !isExecutable(join(bin, 'javac'))) return undefined;
  await mkdir(cacheFolder('trino'), { recursive: true });
  const fresh = await mkdtemp(join(cacheFolder('trino'), 'fetch-'));
  try {
    const plugin = join(fresh, 'plugin/hive');
    await copyJars(join(FILES, 'main.xml'), join(fresh, 'lib'));
    await copyJars(join(FILES, 'hive.xml'), plugin);
    // The server brings this one; a plugin with its own could not talk to it.
    await rm(join(plugin, `trino-spi-${TRINO_VERSION}.jar`), { force: true });
    await addPluginsName(bin, plugin);
    await addStarter(bin, fresh);
    const home = join(cacheFolder('trino'), TRINO_VERSION);
    await rm(home, { recursive: true, force: true });
    // At once: another run may be looking.
    await rename(fresh, home);
    return home;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** What a release's plugin folder says of itself. */
async function addPluginsName(bin: string, plugin: string): Promise<void> {
  const services = join(plugin, 'services');
  await mkdir(join(services, 'META-INF/services'), { recursive: true });
  await writeFile(join(services, 'META-INF/services/io.trino.spi.Plugin'), 'io.trino.plugin.hive.HivePlugin\n');
  await runCommand(join(bin, 'jar'), ['cf', join(plugin, 'services.jar'), '-C', services, '.']);
  await rm(services, { recursive: true });
}

/** Last: its presence tells that all is there. */
async function addStarter(bin: string, fresh: string): Promise<void> {
  const classes = await mkdtemp(join(tmpdir(), 'ingesta-trino-'));
  const main = join(fresh, `lib/trino-main-${TRINO_VERSION}.jar`);
  await runCommand(join(bin, 'javac'), ['-cp', main, '-d', classes, join(FILES, 'TrinoServer.java')]);
  await runCommand(join(bin, 'jar'), ['cf', join(fresh, 'lib/starter.jar'), '-C', classes, '.']);
  await rm(classes, { recursive: true });
}

/** A file of settings from its template, `@NAME@` filled in. */
export async function fillTemplate(name: string, places: Readonly<Record<string, string>>): Promise<string> {
  const template = await readFile(join(FILES, name), 'utf8');
  return template.replace(/@(\w+)@/g, (_, place: string) => places[place] ?? '');
}
