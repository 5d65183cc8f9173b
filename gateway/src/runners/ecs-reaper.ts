import type { EcsApi } from './ecs-api';
import { startedByOf } from './ecs-convert';
import type { LeftBehind } from './runner';
import { tryEach } from './try-each';

/** Younger tasks are left alone: whoever made them may be about to stop them. */
const NEWBORN_MS = 10_000;

/**
 * Stops the tasks of `deployment` whose run `isOver`. All gateways of it see the same tasks. Gives the runs' ids; throws the
 * first failure once all were tried.
 */
export async function reapTasks(
  api: Pick<EcsApi, 'startedBy' | 'stop'>,
  deployment: string,
  isOver: (left: LeftBehind) => Promise<boolean>,
  now = Date.now(),
): Promise<string[]> {
  const reaped: string[] = [];
  await tryEach(
    await api.startedBy(startedByOf(deployment)),
    async ({ taskArn, tags = [], createdAt, desiredStatus }) => {
      const labels = new Map(tags.map(({ key, value }) => [key, value]));
      const runId = labels.get('ingesta.run');
      const database = labels.get('ingesta.db');
      const deadline = labels.get('ingesta.deadline');
      if (!taskArn || !runId || !database || !deadline || desiredStatus === 'STOPPED') return;
      if (createdAt !== undefined && now - createdAt.getTime() < NEWBORN_MS) return;
      if (!(await isOver({ runId, database, deadline: new Date(deadline) }))) return;
      await api.stop(taskArn, 'The run of this task is over');
      reaped.push(runId);
    },
  );
  return reaped;
}
