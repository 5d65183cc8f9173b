import type { ProgressEvent, RunAnswer, RunInfo } from './answers';
import { GatewayError, Unreachable } from './errors';
import { readEvents } from './event-stream';
import { type Followed, followRun } from './follow-run';
import { events, failure, givenGateway, givenPatience, hangUp, json, type Step } from './testing/given-gateway';

const RUN = '01890a5d-ac96-774b-bcce-b302099a8057';
const { signal } = new AbortController();

const progress = (rows: number) => ({
  id: rows,
  event: 'progress',
  data: {
    run_id: RUN,
    database: 'mysql',
    state: 'running',
    attempts: 1,
    progress: { users: { state: 'running', rows, bytes: 10 * rows, estimated_rows: null } },
  } satisfies ProgressEvent,
});

const ANSWER: RunAnswer = {
  status: 'success',
  database: 'mysql',
  result: { users: { url: 's3://b/k', registros: 3, bytes: 30, sha256: 'ab', dropped_columns: [] } },
  run_id: RUN,
  consistency: 'snapshot',
  duration_ms: 12,
  warnings: [],
};
const result = { id: 9, event: 'result', data: ANSWER };

const record = (change: Partial<RunInfo>): Step => json(200, { ...ANSWER, state: 'running', error: null, ...change });

async function followed(steps: Step[], limitMs?: number) {
  const { gateway, asked, close } = await givenGateway(steps);
  const { patience, time, troubles } = givenPatience(limitMs);
  const seen: number[] = [];
  let back = 0;
  const followers: Followed = {
    onProgress: (event) => seen.push(event.progress.users!.rows),
    onBack: () => {
      back += 1;
    },
  };
  try {
    const outcome = await followRun(gateway, RUN, patience, signal, followers).catch((error: Error) => error);
    return { outcome, asked, seen, slept: time.slept, troubles, back: () => back };
  } finally {
    await close();
  }
}

const lastEventIds = (asked: { headers: Record<string, unknown> }[]) =>
  asked.map(({ headers }) => headers['last-event-id']);

it('tells the progress and gives the answer', async () => {
  const { outcome, seen, slept } = await followed([events([progress(1), progress(2), result])]);
  expect(outcome).toEqual({ ok: true, answer: ANSWER });
  expect([seen, slept]).toEqual([[1, 2], []]);
});

it('goes on behind the last event when the line breaks, and when nobody listens for a while', async () => {
  const { outcome, asked, seen, troubles, back } = await followed([
    events([progress(1), progress(2)], 'break'),
    hangUp,
    json(502, 'a proxy has other words'),
    events([progress(3), result]),
  ]);
  expect(outcome).toMatchObject({ ok: true });
  expect(seen).toEqual([1, 2, 3]);
  expect(lastEventIds(asked)).toEqual([undefined, '2', '2', '2']);
  expect(troubles).toHaveLength(3);
  expect(back()).toBe(1);
});

it('takes a sign of life for being back: a run may have nothing to tell for long', async () => {
  const alive: Step = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('retry: 2000\n\n: alive\n\n', () => response.destroy());
  };
  const { outcome, slept, back } = await followed([
    events([progress(1)], 'break'),
    ...Array.from({ length: 6 }, () => alive),
    events([result]),
  ]);
  expect(outcome).toMatchObject({ ok: true });
  expect(back()).toBe(7);
  // Each trouble is a new one.
  expect(Math.max(...slept)).toBeLessThanOrEqual(1000);
});

it('comes back when told to: a busy gateway says how long to wait', async () => {
  const { outcome, slept } = await followed([
    json(429, failure('RATE_LIMITED'), { 'retry-after': '17' }),
    events([result]),
  ]);
  expect(outcome).toMatchObject({ ok: true });
  expect(slept).toEqual([17_000]);
});

it('gives the error of a run that failed', async () => {
  const error = { code: 'SOURCE_AUTH', message: 'No', hint: 'Check' };
  const { outcome } = await followed([
    events([{ id: 3, event: 'error', data: failure('SOURCE_AUTH') }]),
    record({ state: 'failed', error }),
  ]);
  expect(outcome).toEqual({ ok: false, database: 'mysql', error: { ...error, run_id: RUN } });
});

it('does not take a gateway that lost sight of the lake for a run that failed', async () => {
  const { outcome } = await followed([
    events([{ id: 3, event: 'error', data: failure('LAKE_UNAVAILABLE') }]),
    json(502, failure('LAKE_UNAVAILABLE')),
    events([], 'end'),
    record({ state: 'succeeded' }),
  ]);
  expect(outcome).toEqual({ ok: true, answer: ANSWER });
});

it('asks for the end where a stream brings none', async () => {
  const { outcome, asked } = await followed([
    events([progress(1)]),
    record({ state: 'running' }),
    (response) => void response.writeHead(204).end(),
    record({ state: 'succeeded' }),
  ]);
  expect(outcome).toEqual({ ok: true, answer: ANSWER });
  expect(asked.map(({ path }) => path.endsWith('/events'))).toEqual([true, false, true, false]);
});

it('gives up once the gateway was away too long', async () => {
  const { outcome, slept } = await followed(Array(20).fill(hangUp), 10_000);
  expect(outcome).toBeInstanceOf(Unreachable);
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(10_000);
  expect(slept.length).toBeGreaterThan(2);
});

it.each([
  [401, 'UNAUTHENTICATED'],
  [404, 'RUN_NOT_FOUND'],
])('does not insist on %i', async (status, code) => {
  const { outcome, slept } = await followed([json(status, failure(code))]);
  expect(outcome).toBeInstanceOf(GatewayError);
  expect(slept).toEqual([]);
});

it('takes a silent line for a dead one', async () => {
  const { gateway, close } = await givenGateway([(response) => void response.writeHead(200).write(': hello\n\n')]);
  try {
    const reading = readEvents(gateway, RUN, null, signal, 2_000);
    expect(await reading.next()).toEqual({ done: false, value: null });
    await expect(reading.next()).rejects.toMatchObject({ name: 'Unreachable', isTemporary: true });
  } finally {
    await close();
  }
});

it('ends with the reason that its caller gave', async () => {
  const stop = new AbortController();
  const { gateway, close } = await givenGateway([
    (response) => {
      response.writeHead(200).write(': hello\n\n');
      stop.abort(new Error('Ctrl-C'));
    },
  ]);
  try {
    const { patience } = givenPatience(1000, stop.signal);
    const nobody = { onProgress: () => undefined, onBack: () => undefined };
    await expect(followRun(gateway, RUN, patience, stop.signal, nobody)).rejects.toThrow('Ctrl-C');
  } finally {
    await close();
  }
});
