import type { RunInfo } from './answers';
import { GatewayError, Unreachable } from './errors';
import type { Gateway } from './gateway';
import type { Patience } from './patience';

/** A POST that was held for so long was not refused: its run waits for its turn behind others. */
const HELD_MS = 30_000;
/** But not for ever: those before it have their own deadlines (`RUN_TIMEOUT`). */
const TURN_MS = 2 * 60 * 60_000;

export interface RunRequest {
  database: string;
  tables: string[] | null;
  format: string;
  /** Makes it safe to ask again when an answer was lost: the same key leads to the same run. */
  idempotencyKey: string;
  /** Whether a run that is under way already will do. */
  attach: boolean;
}

/** The id of the run that answers the request: started now, or earlier under the same key. */
export async function startRun(
  gateway: Gateway,
  request: RunRequest,
  patience: Patience,
  signal: AbortSignal,
  heldMs = HELD_MS,
): Promise<{ runId: string; isAttached: boolean }> {
  const { database, tables, format, idempotencyKey, attach } = request;
  let mayHaveBegun = false;
  const since = performance.now();
  return patience.through(async () => {
    const asked = performance.now();
    try {
      const { body } = await gateway.json<{ run_id: string }>(`/api/ingesta/${encodeURIComponent(database)}`, {
        method: 'POST',
        headers: { Prefer: 'respond-async', 'Idempotency-Key': idempotencyKey },
        body: { ...(tables === null ? {} : { tables }), format },
        signal,
      });
      return { runId: body.run_id, isAttached: false };
    } catch (error) {
      if (error instanceof Unreachable && !error.isUnsent) {
        mayHaveBegun = true;
        if (performance.now() - asked >= heldMs && performance.now() - since < TURN_MS) {
          // Cut by a proxy that wants an answer sooner, or by our own HTTP client: no trouble while the gateway lives.
          await gateway.text('/livez', signal);
          patience.relieve();
        }
      }
      const rival = error instanceof GatewayError && error.error.code === 'RUN_IN_PROGRESS' ? error.error.run_id : null;
      if (rival === null) throw error;
      if (attach) return { runId: rival, isAttached: true };
      if (mayHaveBegun && (await isAlike(gateway, rival, request, signal))) return { runId: rival, isAttached: true };
      throw error;
    }
  });
}

/** Whether a run reads what was asked for: after a POST without an answer it is most likely our own. */
async function isAlike(gateway: Gateway, runId: string, request: RunRequest, signal: AbortSignal): Promise<boolean> {
  const { body } = await gateway.json<RunInfo>(`/api/ingesta/runs/${encodeURIComponent(runId)}`, { signal });
  const wanted = JSON.stringify([request.tables, request.format]);
  return JSON.stringify([body.request.tables, body.request.format]) === wanted;
}
