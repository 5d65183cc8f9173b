import type Docker from 'dockerode';
import { reapContainers } from './docker-reaper';

const NOW = Date.parse('2025-01-02T15:30:45Z');

/** An engine that has containers with these labels, `age` seconds old, and refuses to remove some of them. */
function engineWith(
  containers: readonly { id: string; age: number; labels: Record<string, string> }[],
  refused: readonly string[] = [],
) {
  const removed: string[] = [];
  const engine = {
    listContainers: async ({ filters }: { filters: { label: string[] } }) => {
      expect(filters).toEqual({ label: ['ingesta.deployment=d'] });
      return containers.map(({ id, age, labels }) => ({ Id: id, Labels: labels, Created: NOW / 1000 - age }));
    },
    getContainer: (id: string) => ({
      remove: async () => {
        if (refused.includes(id)) throw Object.assign(new Error(`${id} is busy`), { statusCode: 500 });
        removed.push(id);
      },
    }),
  };
  return { engine: engine as unknown as Docker, removed };
}
const ofRun = (id: string) => ({
  ...{ id, age: 60 },
  labels: { 'ingesta.run': id, 'ingesta.db': 'mysql', 'ingesta.deadline': '2025-01-02T15:30:45.000Z' },
});

it('removes the others where one cannot be removed, and tells of that one', async () => {
  const { engine, removed } = engineWith([ofRun('a'), ofRun('stuck'), ofRun('b'), ofRun('live')], ['stuck']);
  const isOver = async ({ runId }: { runId: string }) => runId !== 'live';
  await expect(reapContainers(engine, 'd', isOver, NOW)).rejects.toMatchObject({
    code: 'RUNNER_UNAVAILABLE',
    message: expect.stringContaining('stuck is busy'),
  });
  expect(removed).toEqual(['a', 'b']);
});
