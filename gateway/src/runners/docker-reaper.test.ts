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
      const [name, value] = filters.label[0]!.split('=');
      return containers
        .filter(({ labels }) => name! in labels && (value === undefined || labels[name!] === value))
        .map(({ id, age, labels }) => ({ Id: id, Labels: labels, Created: NOW / 1000 - age }));
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
  labels: {
    ...{ 'ingesta.deployment': 'd', 'ingesta.run': id, 'ingesta.db': 'mysql' },
    'ingesta.deadline': '2025-01-02T15:30:45.000Z',
  },
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

it('removes what a gateway left that was killed while it asked an image, and nothing that is asked now', async () => {
  const asked = (id: string, age: number) => ({ id, age, labels: { 'ingesta.describe': 'ingesta-mysql:latest' } });
  const { engine, removed } = engineWith([asked('now', 30), asked('long-ago', 660)]);
  expect(await reapContainers(engine, 'd', async () => true, NOW)).toEqual([]);
  expect(removed).toEqual(['long-ago']);
});
