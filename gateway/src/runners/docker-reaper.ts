import type Docker from 'dockerode';
import { answered, engineError, statusOf } from './docker-errors';
import type { LeftBehind } from './runner';

/** Younger containers are left alone: whoever made them may be about to remove them. */
const NEWBORN_S = 10;

/** Removes the containers of `deployment` on this engine, in whatever state, whose run `isOver`. Gives the runs' ids. */
export async function reapContainers(
  docker: Pick<Docker, 'listContainers' | 'getContainer'>,
  deployment: string,
  isOver: (left: LeftBehind) => Promise<boolean>,
  now = Date.now(),
): Promise<string[]> {
  try {
    const filters = { label: [`ingesta.deployment=${deployment}`] };
    const reaped: string[] = [];
    for (const { Id, Labels, Created } of await answered(docker.listContainers({ all: true, filters }))) {
      const { 'ingesta.run': runId, 'ingesta.db': database, 'ingesta.deadline': deadline } = Labels;
      if (!runId || !database || !deadline || now / 1000 - Created < NEWBORN_S) continue;
      if (!(await isOver({ runId, database, deadline: new Date(deadline) }))) continue;
      await answered(docker.getContainer(Id).remove({ force: true, v: true })).catch((error) => {
        // Another gateway of this host was quicker.
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
      });
      reaped.push(runId);
    }
    return reaped;
  } catch (error) {
    throw engineError(error);
  }
}
