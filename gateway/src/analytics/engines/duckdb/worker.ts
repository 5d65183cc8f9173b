import { rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { makeFolder, openLake } from '@ingesta/kit';
import { asApiError } from '../../../as-api-error';
import { ApiError } from '../../../errors';
import { untilAborted } from '../../../until-aborted';
import { SqlProblem } from '../engine';
import { openDatabase } from './database';
import { describeStatements } from './describe-statements';
import { isDiskFull } from './duckdb-error';
import { FileCache } from './file-cache';
import type { FromWorker, ToWorker, WorkerFailure, WorkerRequest, WorkerSettings } from './messages';
import { queryTables } from './query-tables';
import { queryError } from './run-statements';
import { TableFiles } from './table-files';
import { openWorkFolder } from './work-folder';

const MIB = 1024 * 1024;
/** Uploads under way may end when the gateway lets this process go. */
const LINGER_MS = 60_000;

type Work = (request: WorkerRequest, signal: AbortSignal) => Promise<unknown>;

async function open(settings: WorkerSettings): Promise<{ work: Work; files: TableFiles }> {
  await makeFolders(settings);
  // The AWS SDK looks some of them up by itself. Set here they show in no process list.
  Object.assign(process.env, settings.lakeEnv);
  const instance = await openDatabase(settings);
  const files = new TableFiles({
    lake: await openLake(settings.lakeEnv),
    cache: new FileCache(settings.cacheFolder, settings.cacheMiB * MIB),
    instance,
    workFolder: settings.workFolder,
    memoryMiB: settings.memoryMiB,
    warn: (message, fields) => send({ type: 'warning', message, fields }),
  });
  const work: Work = async (request, signal) => {
    switch (request.do) {
      case 'describe':
        return describeStatements(instance, request.tables, request.statements);
      case 'twin':
        return untilAborted(files.twin(request), signal);
      case 'repair':
        return untilAborted(files.repair(request), signal);
      case 'query': {
        const parts = { files, instance, limits: settings };
        return queryTables(parts, request.tables, request.statements, signal).catch((error) => {
          throw queryError(error);
        });
      }
    }
  };
  return { work, files };
}

/** In a folder for everybody's temporary files somebody else may have been first; what he can change is not read. */
async function makeFolders({ cacheFolder, workFolder }: WorkerSettings): Promise<void> {
  try {
    await makeFolder(cacheFolder, 0o700);
    const { uid } = await stat(cacheFolder);
    const own = process.getuid?.() ?? uid;
    if (uid !== own && uid !== 0) throw new Error(`it belongs to user ${uid}, and this is user ${own}`);
    await openWorkFolder(workFolder);
  } catch (error) {
    throw new ApiError('INTERNAL', `The cache folder ${cacheFolder} cannot be used: ${(error as Error).message}`, {
      hint: 'Set ANALYTICS_CACHE_DIR to a folder that the gateway may write.',
      cause: error,
    });
  }
}

const diskFull = (cacheFolder: string, cause: unknown): ApiError =>
  new ApiError('INTERNAL', `The disk of the cache folder ${cacheFolder} is full`, {
    hint: "Make room there (a table's first reading takes up to three times its CSV), or set ANALYTICS_CACHE_DIR to a folder of another disk.",
    cause,
  });

function failureOf(error: unknown, cacheFolder: string): WorkerFailure {
  if (error instanceof SqlProblem) {
    const { statement, message, offset } = error;
    return { kind: 'sql', statement, message, offset };
  }
  const { code, message, hint, database, cause } = asApiError(isDiskFull(error) ? diskFull(cacheFolder, error) : error);
  const words = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return { kind: 'api', code, message, hint, database, cause: cause === undefined ? null : words };
}

/** A gateway that is gone hears nothing. */
const send = (message: FromWorker): void => void (process.connected && process.send!(message));

function serve(): void {
  const running = new Map<number, AbortController>();
  let opened: ReturnType<typeof open> | undefined;
  let settings: WorkerSettings | undefined;

  const answer = async (id: number, request: WorkerRequest): Promise<void> => {
    const stop = new AbortController();
    running.set(id, stop);
    try {
      const { work } = await opened!;
      send({ type: 'answer', id, value: await work(request, stop.signal) });
    } catch (error) {
      send({ type: 'failure', id, failure: failureOf(error, settings!.cacheFolder) });
    } finally {
      running.delete(id);
    }
  };
  process.on('message', (message: ToWorker) => {
    if (message.type === 'open') {
      settings = message.settings;
      opened = open(settings);
      // Told with each request.
      opened.catch(() => undefined);
    } else if (message.type === 'request') void answer(message.id, message.request);
    else running.get(message.id)?.abort(new Error('cancelled'));
  });
  const leave = () => {
    // A gateway that was killed tidies up nothing.
    if (settings) rmSync(settings.workFolder, { recursive: true, force: true });
    // An exit would wait for DuckDB's threads, whatever they are at.
    process.kill(process.pid, 'SIGKILL');
  };
  const end = () => void Promise.resolve(opened?.then(({ files }) => files.stop())).then(leave, leave);
  process.once('disconnect', () => {
    for (const stop of running.values()) stop.abort(new Error('the gateway is gone'));
    setTimeout(end, LINGER_MS);
    void Promise.resolve(opened?.then(({ files }) => files.settled())).then(leave, leave);
  });
  // Ctrl-C reaches all processes of a terminal.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
}

/** Where memory runs out, this process goes and not the gateway: it is started again. */
function offerOneself(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '500');
  } catch {
    // Not Linux, or not allowed: then the kernel chooses by size, and that is this process as well.
  }
}

// The image's build asks whether the native library loads.
if (process.argv.includes('--check')) process.exit(0);
offerOneself();
serve();
