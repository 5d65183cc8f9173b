import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, Task } from '@aws-sdk/client-ecs';
import { ApiError } from '../errors';
import { graceFor, untilAborted } from '../until-aborted';
import type { EcsApi } from './ecs-api';
import { notStarted } from './ecs-errors';
import { MEMORY_EXITS, STOP_SECONDS } from './runner';

/** How long ECS may be out of reach, or know nothing of the task, before the run is given up. */
const LOST_MS = 60_000;
/** What a task's description says of its end where it was ours. */
export const ENDED = 'Ingesta ended the run';
/** What ECS gets for an answer once the run is to end. */
const LAST_ANSWER_MS = 3_000;

/** An answer of ECS; once `signal` is aborted it is waited for some seconds more, and no longer. */
export const inTime = <T>(answer: Promise<T>, signal: AbortSignal): Promise<T> =>
  untilAborted(answer, signal).catch(
    graceFor(answer, signal, LAST_ANSWER_MS, () => new ApiError('RUNNER_UNAVAILABLE', 'ECS gives no answer')),
  );

export interface Watch {
  signal: AbortSignal;
  container: string;
  pollMs: number;
  /** Called once, when the script runs, or is known to have run. */
  onRunning: () => void;
  lostMs?: number;
}

/**
 * Looks at a task until its script is over, and has ECS stop it when `signal` is aborted. Null where the end could not be
 * seen: ECS out of reach for a minute, or a task told to stop that still stops after `STOP_SECONDS`. Once ECS has heard
 * it, it ends the container itself, with SIGKILL after the definition's `stopTimeout`.
 */
export async function watchTask(
  api: Pick<EcsApi, 'task' | 'stop'>,
  arn: string,
  { signal, container, pollMs, onRunning, lostMs = LOST_MS }: Watch,
): Promise<Task | null> {
  let lostSince: number | null = null;
  let stoppedAt: number | null = null;
  let running = false;
  for (;;) {
    if (signal.aborted && stoppedAt === null) {
      const heard = await inTime(api.stop(arn, ENDED), signal).then(
        () => true,
        () => false,
      );
      if (heard) stoppedAt = Date.now();
    }
    const asked = Date.now();
    const task = await inTime(api.task(arn), signal).catch(() => null);
    if (task === null) lostSince ??= asked;
    else lostSince = null;
    const over = task !== null && isOver(task, container);
    if (!running && task !== null && (over || task.lastStatus === 'RUNNING')) {
      running = true;
      onRunning();
    }
    if (over) return task;
    const now = Date.now();
    if (lostSince !== null && now - lostSince > lostMs) return null;
    if (stoppedAt !== null && now - stoppedAt > STOP_SECONDS * 1000) return null;
    await sleep(pollMs, undefined, signal.aborted ? {} : { signal }).catch(() => undefined);
  }
}

/** Fargate takes its time to clear a task away; its container's end is what counts. */
const isOver = (task: Task, name: string): boolean =>
  containerOf(task, name)?.lastStatus === 'STOPPED' || ['STOPPED', 'DELETED'].includes(task.lastStatus ?? '');

const containerOf = (task: Task, name: string): Container | undefined =>
  task.containers?.find((container) => container.name === name);

/** How the script of a task that is over ended. Throws `ApiError` where it never began, or AWS ended it. */
export function endOf(task: Task, name: string, weStopped: boolean): { exitCode: number | null; oomKilled: boolean } {
  const { exitCode, reason } = containerOf(task, name) ?? {};
  const outOfMemory = /OutOfMemory/i.test(reason ?? '');
  if (exitCode === undefined && !outOfMemory && !weStopped) throw notStarted(task, reason);
  if (!weStopped && (task.stopCode === 'SpotInterruption' || task.stopCode === 'TerminationNotice'))
    throw new ApiError('RUNNER_UNAVAILABLE', `AWS ended the task: ${task.stoppedReason ?? task.stopCode}`, {
      hint: 'AWS took the capacity back. Nothing was published; POST again.',
    });
  if (exitCode === undefined) return { exitCode: outOfMemory ? 137 : null, oomKilled: outOfMemory };
  return { exitCode, oomKilled: outOfMemory || (MEMORY_EXITS.includes(exitCode) && !weStopped) };
}
