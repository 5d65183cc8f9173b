import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstThatStarts } from './attempts';
import { freePort, startServer } from './server-process';
import type { ServiceHandle } from './service';
import { cachedServer, fetchServer, fillTemplate, java25, TRINO_VERSION } from './trino-server';

/** How to have Trino next time. */
export const BRING_TRINO =
  'have Java 25 (JAVA25_HOME), Maven and the S3 server, and set INGESTA_TEST_INSTALL=1 (fetches 350 MB once)';

const READY_MS = 180_000;

/** Trino over the S3 server: catalog `hive` with its metastore in files, and `glue` with that of moto where it is there. */
export function startTrino(s3: ServiceHandle, moto: ServiceHandle | undefined): Promise<ServiceHandle> {
  return firstThatStarts('trino', [
    { from: 'installed', start: async () => startJars(await cachedServer(), s3, moto) },
    { from: 'install', start: async () => startJars(await fetchServer(), s3, moto) },
  ]);
}

async function startJars(
  home: string | undefined,
  s3: ServiceHandle,
  moto: ServiceHandle | undefined,
): Promise<ServiceHandle | undefined> {
  const bin = home && (await java25());
  if (!home || !bin) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-trino-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const port = await freePort();
    await writeSettings(folder, home, port, s3, moto);
    const url = `http://127.0.0.1:${port}`;
    const server = await startServer(
      {
        command: join(bin, 'java'),
        args: [
          ...JAVA_OPTIONS,
          `-Dnode.data-dir=${join(folder, 'data')}`,
          `-Dconfig=${join(folder, 'config.properties')}`,
          `-Dlog.levels-file=${join(folder, 'log.properties')}`,
          '-cp',
          join(home, 'lib/*'),
          'io.trino.server.TrinoServer',
          TRINO_VERSION,
        ],
        cwd: folder,
        logFile: join(folder, 'trino.log'),
        // Nothing of it is needed any more: it would wait for its queries first.
        stopSignal: 'SIGKILL',
        detached: true,
        readyWithinMs: READY_MS,
      },
      () => showCatalogs(url),
    );
    return {
      name: 'trino',
      how: `Trino ${TRINO_VERSION}, jars in ${home}`,
      env: { INGESTA_TEST_TRINO_URL: url },
      stop: async () => {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function writeSettings(
  folder: string,
  home: string,
  port: number,
  s3: ServiceHandle,
  moto: ServiceHandle | undefined,
): Promise<void> {
  // Of a server that was given, the variables are the caller's own.
  const read = (handle: ServiceHandle, name: string) => handle.env[name] ?? process.env[name] ?? '';
  const metastores: Record<string, string[]> = {
    hive: [
      'hive.metastore=file',
      'hive.metastore.catalog.dir=local:///',
      'hive.metastore.disable-location-checks=true',
      'fs.native-local.enabled=true',
      `local.location=${join(folder, 'metastore')}`,
    ],
  };
  if (moto)
    metastores.glue = [
      'hive.metastore=glue',
      `hive.metastore.glue.endpoint-url=${read(moto, 'INGESTA_TEST_MOTO_ENDPOINT')}`,
      'hive.metastore.glue.region=us-east-1',
      'hive.metastore.glue.aws-access-key=test',
      'hive.metastore.glue.aws-secret-key=test',
    ];
  for (const name of ['catalog', 'data', 'metastore']) await mkdir(join(folder, name));
  for (const [name, lines] of Object.entries(metastores)) {
    const text = await fillTemplate('catalog.properties.template', {
      S3_ENDPOINT: read(s3, 'INGESTA_TEST_S3_ENDPOINT'),
      S3_ACCESS_KEY: read(s3, 'INGESTA_TEST_S3_ACCESS_KEY'),
      S3_SECRET_KEY: read(s3, 'INGESTA_TEST_S3_SECRET_KEY'),
      METASTORE: lines.join('\n'),
    });
    await writeFile(join(folder, 'catalog', `${name}.properties`), text);
  }
  const config = await fillTemplate('config.properties.template', { PORT: String(port), HOME: home, FOLDER: folder });
  await writeFile(join(folder, 'config.properties'), config);
  await writeFile(join(folder, 'log.properties'), 'io.trino=WARN\nio.airlift=WARN\n');
}

/** Trino says that it has started before its catalogs answer. */
async function showCatalogs(url: string): Promise<void> {
  type Page = { nextUri?: string; error?: { message: string } };
  const ask = async (uri: string, init?: RequestInit) => (await (await fetch(uri, init)).json()) as Page;
  const headers = { 'X-Trino-User': 'test' };
  let page = await ask(`${url}/v1/statement`, { method: 'POST', headers, body: 'SHOW SCHEMAS FROM hive' });
  while (page.nextUri !== undefined) page = await ask(page.nextUri);
  if (page.error) throw new Error(page.error.message);
}

/** As a release's own settings say, for a server that is alone. */
const JAVA_OPTIONS = [
  '-server',
  '-Xmx1500M',
  '-XX:+UseG1GC',
  '-XX:G1HeapRegionSize=16M',
  '-XX:ReservedCodeCacheSize=256M',
  '-XX:+ExitOnOutOfMemoryError',
  // It lives for minutes: the best code would come too late, and take the tests' processors.
  '-XX:TieredStopAtLevel=1',
  '-Djdk.attach.allowAttachSelf=true',
  '-Dfile.encoding=UTF-8',
  '--add-modules=jdk.incubator.vector',
  '--enable-native-access=ALL-UNNAMED',
  '--sun-misc-unsafe-memory-access=allow',
  '-Dnode.environment=test',
  '-Dnode.id=test',
  '-Dlog.enable-console=true',
];
