import type { Lake } from '@ingesta/kit';
import type { Log } from '../log';
import type { LeftBehind, Runner } from '../runners/runner';
import { MalformedRecord } from '../runs/read-record';
import { isOver, readRun } from '../runs/run-store';

/** A launch without a record (a dry run), or with one that nobody can read, is over so long after its deadline. */
const GRACE_MS = 60_000;

export interface ReaperServices {
  runner: Pick<Runner, 'reap'>;
  lake: () => Promise<Lake>;
  deployment: string;
  /** Launches of this gateway, under way. */
  isOwn: (runId: string) => boolean;
  log: Log;
}

/** Clears away what gateways that died have left on this gateway's own runner. Runs that go on are left alone. */
export async function reap({ runner, lake, deployment, isOwn, log }: ReaperServices): Promise<void> {
  const opened = await lake();
  const over = async ({ runId, database, deadline }: LeftBehind): Promise<boolean> => {
    if (isOwn(runId)) return false;
    const run = await readRun(opened, database, runId).catch((error) => {
      if (!(error instanceof MalformedRecord)) throw error;
      return null;
    });
    return run === null ? Date.now() > deadline.getTime() + GRACE_MS : isOver(run.record);
  };
  const reaped = await runner.reap(deployment, over);
  if (reaped.length > 0) log.warn('removed what a gateway that went away has left', { runs: reaped });
}
