import { randomUUID } from 'node:crypto';
import type { PlanAnswer, SourceStatus } from '../answers';
import type { Context } from '../context';
import { GatewayError, UsageError } from '../errors';
import { EXIT, type ExitCode } from '../exit-codes';
import { slotKey } from '../slot';
import { startRun } from '../start-run';
import { describePlan } from './describe-outcome';
import { follow, patienceOf, tell, waitSignal } from './follow';
import { lackOf } from './sources';
import { tellFailure } from './tell-failure';

/** `ingesta run`: each database in turn, several at a time. The exit code is that of the first which failed. */
export async function run(context: Context, names: readonly string[]): Promise<ExitCode> {
  checkCombination(context, names);
  const databases = context.options.all ? await everyDatabase(context) : [...new Set(names)];
  if (databases.length === 0) {
    context.say('No source is ready to run: `ingesta sources` says what each lacks');
    return EXIT.CONFIG;
  }
  const codes: ExitCode[] = [];
  const queue = databases.entries();
  const worker = async () => {
    for (const [i, database] of queue) codes[i] = await runOne(context, database);
  };
  await Promise.all(Array.from({ length: context.options.parallel }, worker));
  return codes.find((code) => code !== EXIT.OK) ?? EXIT.OK;
}

function checkCombination({ options }: Context, names: readonly string[]): void {
  const { all, tables, slot, idempotencyKey, dryRun, detach, follow: isFollowed, attach } = options;
  if (all === names.length > 0) throw new UsageError('Name the databases to run, or --all');
  if (tables !== null && (all || names.length > 1)) throw new UsageError('--tables goes with one database');
  if (tables?.length === 0) throw new UsageError('--tables names no table');
  if (slot !== null && idempotencyKey !== null)
    throw new UsageError('--slot makes the idempotency key: give one of both');
  if (idempotencyKey !== null && (all || names.length > 1)) {
    throw new UsageError('--idempotency-key goes with one database; --slot makes one for each');
  }
  if (detach && isFollowed) throw new UsageError('--detach and --follow exclude each other');
  if (dryRun && (slot !== null || idempotencyKey !== null || detach || attach)) {
    throw new UsageError('--dry-run leaves no trace: it goes without --slot, --idempotency-key, --detach and --attach');
  }
  if (slot !== null) slotKey('', slot, new Date());
}

async function runOne(context: Context, database: string): Promise<ExitCode> {
  try {
    return await (context.options.dryRun ? plan(context, database) : ingest(context, database));
  } catch (error) {
    if (context.options.json && error instanceof GatewayError) {
      return tell(context, database, { ok: false, database: error.database, error: error.error });
    }
    const code = tellFailure(context, database, error);
    if (code === null) throw error;
    if (error instanceof GatewayError && error.error.code === 'RUN_IN_PROGRESS') {
      context.say('  --attach follows the run that is under way');
    }
    return code;
  }
}

async function ingest(context: Context, database: string): Promise<ExitCode> {
  const { gateway, options, view, now } = context;
  const signal = waitSignal(context);
  const patience = patienceOf(context, database, signal);
  const { tables, format, attach, slot, idempotencyKey, detach, json } = options;
  const key = idempotencyKey ?? (slot === null ? randomUUID() : slotKey(database, slot, now()));
  const started = await startRun(gateway, { database, tables, format, attach, idempotencyKey: key }, patience, signal);
  const { runId, isAttached } = started;
  if (detach) {
    context.out(json ? JSON.stringify({ status: 'running', database, run_id: runId }) : runId);
    return EXIT.OK;
  }
  view.started(database, runId, isAttached);
  return follow(context, database, runId, patience, signal);
}

async function plan(context: Context, database: string): Promise<ExitCode> {
  const { gateway, options, out } = context;
  const { tables, format } = options;
  const signal = waitSignal(context);
  const { body } = await patienceOf(context, database, signal).through(() =>
    gateway.json<PlanAnswer>(`/api/ingesta/${encodeURIComponent(database)}`, {
      method: 'POST',
      body: { ...(tables === null ? {} : { tables }), format, dry_run: true },
      signal,
    }),
  );
  for (const line of options.json ? [JSON.stringify(body)] : describePlan(body)) out(line);
  return EXIT.OK;
}

/**
 * Every source that can run. One that lacks something is left out with a word, but not if it was ingested before: then
 * something went missing, and the gateway will say what.
 */
async function everyDatabase(context: Context): Promise<string[]> {
  const { gateway, say, options } = context;
  const signal = waitSignal(context);
  const { body } = await patienceOf(context, 'sources', signal).through(() =>
    gateway.json<{ sources: SourceStatus[] }>('/api/ingesta', { signal }),
  );
  const names: string[] = [];
  for (const source of body.sources) {
    const { name, present, missing_env, last_run } = source;
    const isReady = present && missing_env?.length === 0;
    // Where the lake was too slow for the list, it tells of no run.
    if (isReady || last_run !== null || (await hasSnapshot(context, name, signal))) names.push(name);
    else if (!options.json) say(`${name}: left out: ${lackOf(source)}`);
  }
  return names;
}

async function hasSnapshot(context: Context, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    const path = `/api/ingesta/${encodeURIComponent(name)}/latest`;
    await patienceOf(context, name, signal).through(() => context.gateway.json(path, { signal }));
    return true;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    // Else the run itself says what is wrong: better one failure more than an export that is missing unheard.
    return error.status !== 404;
  }
}
