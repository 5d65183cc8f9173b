import { startRun } from './start-run';
import { failure, givenGateway, givenPatience, hangUp, json, type Step } from './testing/given-gateway';

const { signal } = new AbortController();
const REQUEST = { database: 'mysql', tables: ['users'], format: 'csv', idempotencyKey: 'key-1', attach: false };
const accepted = json(202, { status: 'running', database: 'mysql', run_id: 'run-1' });
const busy = json(409, failure('RUN_IN_PROGRESS', { run_id: 'run-2' }));
const running = (tables: string[] | null): Step => json(200, { state: 'running', request: { tables, format: 'csv' } });

async function started(
  steps: Step[],
  change: Partial<typeof REQUEST> = {},
  key: string | null = null,
  heldMs?: number,
) {
  const { gateway, asked, close } = await givenGateway(steps, key);
  const { patience, time } = givenPatience();
  try {
    const run = await startRun(gateway, { ...REQUEST, ...change }, patience, signal, heldMs).catch((error) => error);
    return { run, asked, slept: time.slept };
  } finally {
    await close();
  }
}

it('asks for the run and not for its end, with the key', async () => {
  const { run, asked } = await started([accepted], {}, 'ing_key');
  expect(run).toEqual({ runId: 'run-1', isAttached: false });
  expect(asked[0]).toMatchObject({
    method: 'POST',
    path: '/api/ingesta/mysql',
    headers: { prefer: 'respond-async', 'idempotency-key': 'key-1', authorization: 'Bearer ing_key' },
  });
  expect(JSON.parse(asked[0]!.body)).toEqual({ tables: ['users'], format: 'csv' });
});

it('asks again under the same key when an answer is lost', async () => {
  const { run, asked } = await started([
    hangUp,
    json(503, '<html>'),
    json(503, failure('GATEWAY_UNAVAILABLE')),
    accepted,
  ]);
  expect(run).toEqual({ runId: 'run-1', isAttached: false });
  expect(new Set(asked.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set(['key-1']));
  expect(asked).toHaveLength(4);
});

it('waits for its turn however often that is cut short, while the gateway lives', async () => {
  const cut: Step = (response) => void setTimeout(() => response.destroy(), 50);
  const turns = Array.from({ length: 10 }, () => [cut, json(200, {})]).flat();
  const { run, slept } = await started([...turns, accepted], {}, null, 40);
  expect(run).toEqual({ runId: 'run-1', isAttached: false });
  expect(Math.max(...slept)).toBeLessThanOrEqual(1_000);
  const dead = Array.from({ length: 100 }, () => hangUp);
  expect((await started([cut, ...dead], {}, null, 40)).run).toMatchObject({ name: 'Unreachable' });
});

it('waits as long as a busy gateway says', async () => {
  const { run, slept } = await started([json(429, failure('TOO_MANY_RUNS'), { 'retry-after': '30' }), accepted]);
  expect([run.runId, slept]).toEqual(['run-1', [30_000]]);
});

it('leaves another run alone', async () => {
  const { run, asked } = await started([busy]);
  expect(run).toMatchObject({ name: 'GatewayError', status: 409, error: { run_id: 'run-2' } });
  expect(asked).toHaveLength(1);
});

it('takes another run if told to', async () => {
  const { run } = await started([busy], { attach: true });
  expect(run).toEqual({ runId: 'run-2', isAttached: true });
});

it('finds the run that its lost POST began, and no other', async () => {
  expect((await started([hangUp, busy, running(['users'])])).run).toEqual({ runId: 'run-2', isAttached: true });
  expect((await started([hangUp, busy, running(null)])).run).toMatchObject({ status: 409 });
});

it('does not go where a gateway redirects, nor take another server for one', async () => {
  const redirect: Step = (response) => void response.writeHead(308, { location: 'http://elsewhere/' }).end();
  const { run, asked } = await started([redirect]);
  expect(run).toMatchObject({ name: 'Unreachable', message: expect.stringContaining('http://elsewhere/') });
  expect(asked).toHaveLength(1);
  const page: Step = (response) => void response.end('<html>');
  expect((await started([page])).run).toMatchObject({ name: 'Unreachable', isTemporary: false });
});
