import type { RunInfo } from '../answers';
import type { Context } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import { endOfRecord } from '../follow-run';
import { bytes, duration, rows } from '../quantities';
import { printable } from '../text-table';
import { describeAnswer, describeError } from './describe-outcome';
import { follow, only, patienceOf, waitSignal } from './follow';

const RUN_ID = 'a run: `ingesta runs` lists them';

const pathOf = (runId: string): string => `/api/ingesta/runs/${encodeURIComponent(runId)}`;

/** `ingesta show ID`: one run. With `--follow` until it is over, and then its end alone decides the exit code. */
export async function show(context: Context, names: readonly string[]): Promise<ExitCode> {
  const { gateway, options, out, view } = context;
  const runId = only(names, RUN_ID);
  const signal = waitSignal(context);
  const patience = patienceOf(context, runId, signal);
  const { body } = await patience.through(() => gateway.json<RunInfo>(pathOf(runId), { signal }));
  if (options.follow) {
    view.started(body.database, runId, true);
    return follow(context, body.database, runId, patience, signal);
  }
  for (const line of options.json ? [JSON.stringify(body)] : described(body)) out(line);
  return EXIT.OK;
}

function described(run: RunInfo): string[] {
  const outcome = endOfRecord(run);
  const asked = !run.requested_by ? [] : [`  requested by ${printable(run.requested_by)}`];
  if (outcome?.ok) return [...describeAnswer(outcome.answer), ...asked];
  const { run_id, database, state, started_at, duration_ms, attempts, gateway, runner, image } = run;
  const took = duration_ms === null ? '' : ` after ${duration(duration_ms)}`;
  return [
    `${database}: ${state}${took}, run ${run_id}`,
    `  started ${started_at}, attempt ${attempts}, ${runner} ${printable(image ?? '')}, gateway ${printable(gateway ?? '?')}`,
    ...asked,
    ...Object.entries(run.progress).map(
      ([table, { state: at, rows: count, bytes: size }]) =>
        `  ${printable(table)}: ${at}, ${rows(count)} rows, ${bytes(size)}`,
    ),
    ...(outcome === null ? [] : describeError(database, outcome.error).map((line) => `  ${line.trimStart()}`)),
  ];
}

interface LogLine {
  at?: string;
  level?: string;
  message?: string;
  left_out?: number;
}

/** `ingesta logs ID`: what its script said. */
export async function logs({ gateway, options, out, signal }: Context, names: readonly string[]): Promise<ExitCode> {
  const text = await gateway.text(`${pathOf(only(names, RUN_ID))}/logs`, signal);
  for (const line of text.split('\n').filter(Boolean)) out(options.json ? line : readable(JSON.parse(line)));
  return EXIT.OK;
}

const readable = ({ at = '', level = '', message = '', left_out }: LogLine): string =>
  left_out === undefined ? `${at} ${level.padEnd(5)} ${printable(message)}` : `… ${rows(left_out)} lines left out …`;

/** `ingesta cancel ID`: asks the run to stop; one that is over stays as it is. */
export async function cancel({ gateway, options, out, signal }: Context, names: readonly string[]): Promise<ExitCode> {
  const { body } = await gateway.json<RunInfo>(pathOf(only(names, RUN_ID)), { method: 'DELETE', signal });
  if (options.json) out(JSON.stringify(body));
  else if (body.state === 'running') out(`${body.database}: run ${body.run_id} is being stopped`);
  else out(`${body.database}: run ${body.run_id} is over: ${body.state}`);
  return EXIT.OK;
}
