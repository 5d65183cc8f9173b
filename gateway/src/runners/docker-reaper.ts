import type Docker from 'dockerode';
import { answered, engineError, statusOf } from './docker-errors';
import type { LeftBehind } from './runner';
import { tryEach } from './try-each';

/** Younger containers are left alone: whoever made them may be about to remove them. */
const NEWBORN_S = 10;

type Engine = Pick<Docker, 'listContainers' | 'getContainer'>;

/**
 * Removes the containers of `deployment` on this engine, in whatever state, whose run `isOver`. Gives the runs' ids; throws the
 * first failure once all were tried.
 */
export async function reapContainers(
  docker: Engine,
  deployment: string,
  isOver: (left: LeftBehind) => Promise<boolean>,
  now = Date.now(),
): Promise<string[]> {
  try {
    const reaped: string[] = [];
    await tryEach(await labelled(docker, `ingesta.deployment=${deployment}`), async ({ Id, Labels, Created }) => {
      const { 'ingesta.run': runId, 'ingesta.db': database, 'ingesta.deadline': deadline } = Labels;
      if (!runId || !database || !deadline || now / 1000 - Created < NEWBORN_S) return;
      if (!(await isOver({ runId, database, deadline: new Date(deadline) }))) return;
      await remove(docker, Id);
      reaped.push(runId);
    });
    return reaped;
  } catch (error) {
    throw engineError(error);
  }
}

const labelled = (docker: Engine, label: string) =>
  answered(docker.listContainers({ all: true, filters: { label: [label] } }));

const remove = (docker: Engine, id: string): Promise<void> =>
  answered(docker.getContainer(id).remove({ force: true, v: true })).catch((error) => {
    // Another gateway of this host was quicker.
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
  });
