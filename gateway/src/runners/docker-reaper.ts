import type Docker from 'dockerode';
import { answered, engineError, statusOf } from './docker-errors';
import { DESCRIBE_LABEL } from './docker-images';
import type { LeftBehind } from './runner';
import { tryEach } from './try-each';

/** Younger containers are left alone: whoever made them may be about to remove them. */
const NEWBORN_S = 10;
/** No image takes nearly so long to describe itself, and so far no two clocks are apart. */
const DESCRIBED_S = 600;

type Engine = Pick<Docker, 'listContainers' | 'getContainer'>;

/**
 * Removes the containers of `deployment` on this engine, in whatever state, whose run `isOver`, and anybody's that have described
 * their image long ago. Gives the runs' ids; throws the first failure once all were tried.
 */
export async function reapContainers(
  docker: Engine,
  deployment: string,
  isOver: (left: LeftBehind) => Promise<boolean>,
  now = Date.now(),
): Promise<string[]> {
  try {
    const reaped: string[] = [];
    const found = [`ingesta.deployment=${deployment}`, DESCRIBE_LABEL].map((label) => labelled(docker, label));
    await tryEach((await Promise.all(found)).flat(), async ({ Id, Labels, Created }) => {
      const age = now / 1000 - Created;
      if (DESCRIBE_LABEL in Labels) {
        if (age >= DESCRIBED_S) await remove(docker, Id);
        return;
      }
      const { 'ingesta.run': runId, 'ingesta.db': database, 'ingesta.deadline': deadline } = Labels;
      if (!runId || !database || !deadline || age < NEWBORN_S) return;
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
