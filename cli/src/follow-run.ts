import type { EventSourceMessage } from 'eventsource-parser';
import type { ProgressEvent, RunAnswer, RunInfo } from './answers';
import { type ErrorInfo, GatewayError, Unreachable } from './errors';
import { readEvents } from './event-stream';
import type { Gateway } from './gateway';
import type { Patience } from './patience';

/** How a run ended. */
export type Outcome = { ok: true; answer: RunAnswer } | { ok: false; database: string | null; error: ErrorInfo };

export interface Followed {
  onProgress: (event: ProgressEvent) => void;
  /** The line is back after a trouble. */
  onBack: () => void;
}

/**
 * Follows a run to its end, through lost connections and gateways that restart: each time it goes on behind the last
 * event it heard. Throws when the gateway refuses, or `patience` is at its end; the run goes on then.
 */
export async function followRun(
  gateway: Gateway,
  runId: string,
  patience: Patience,
  signal: AbortSignal,
  { onProgress, onBack }: Followed,
): Promise<Outcome> {
  let lastId: string | null = null;
  for (;;) {
    try {
      for await (const event of readEvents(gateway, runId, lastId, signal)) {
        const outcome = event && (await outcomeOf(gateway, runId, event, signal));
        if (patience.relieve()) onBack();
        if (outcome !== null) return outcome;
        if (event === null) continue;
        lastId = event.id ?? lastId;
        if (event.event === 'progress') onProgress(parsed<ProgressEvent>(event));
      }
      // It may also be that the end had been heard already, by somebody with the same memory.
      const outcome = await endOf(gateway, runId, signal);
      if (outcome !== null) return outcome;
      throw new Unreachable(`${gateway.url} ended the stream before the run was over`, true, false);
    } catch (error) {
      await patience.endure(isPassing(error) ? new Unreachable(error.message, true, false, error) : error);
    }
  }
}

/** A gateway that cannot reach the lake just now says nothing of the run. */
const isPassing = (error: unknown): error is GatewayError => error instanceof GatewayError && error.status >= 500;

async function outcomeOf(
  gateway: Gateway,
  runId: string,
  event: EventSourceMessage,
  signal: AbortSignal,
): Promise<Outcome | null> {
  if (event.event === 'result') return { ok: true, answer: parsed<RunAnswer>(event) };
  // The run's error, or that the gateway could not read how it ended: the record tells them apart.
  if (event.event === 'error') return endOf(gateway, runId, signal);
  return null;
}

/** How the run ended, from its record; null while it runs. */
async function endOf(gateway: Gateway, runId: string, signal: AbortSignal): Promise<Outcome | null> {
  const { body } = await gateway.json<RunInfo>(`/api/ingesta/runs/${encodeURIComponent(runId)}`, { signal });
  return endOfRecord(body);
}

export function endOfRecord(run: RunInfo): Outcome | null {
  const { state, database, run_id, error, result, consistency, duration_ms, warnings } = run;
  if (state === 'running') return null;
  if (error !== null) return { ok: false, database, error: { ...error, run_id } };
  const answer: RunAnswer = {
    status: 'success',
    database,
    result: result ?? {},
    run_id,
    consistency: consistency ?? 'none',
    duration_ms: duration_ms ?? 0,
    warnings,
  };
  return { ok: true, answer };
}

function parsed<T>({ data }: EventSourceMessage): T {
  try {
    return JSON.parse(data) as T;
  } catch {
    throw new Unreachable('An event arrived damaged', true, false);
  }
}
