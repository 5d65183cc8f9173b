import { randomUUID } from 'node:crypto';
import {
  ATTEMPT_METADATA,
  type Lake,
  LakeError,
  PROBES,
  parquetKeys,
  pointerKey,
  type RunRecord,
  runKeys,
  sweepKeys,
} from '@ingesta/kit';
import { uuidv7obj } from 'uuidv7';
import { capturedLog, givenLake, givenRunRecord, keysOf, lakeWith } from '../../testing/given';
import type { Clock } from '../clock';
import { fence } from '../fence';
import { publish } from '../publication';
import { openRun } from '../run-store';
import { Sweeper } from './sweeper';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let lake: Lake;
let remove: () => Promise<void>;
/** Both clocks of the gateway. */
let now: number;
beforeEach(async () => {
  ({ lake, remove } = await givenLake());
  now = Date.parse('2025-01-02T15:30:45Z');
});
afterEach(() => remove());

const clock: Clock = { mono: () => now, wall: () => now, sleep: async () => undefined, jitter: (ms) => ms };
function givenSweeper(keepSnapshots: number | null = null) {
  const { log, lines } = capturedLog();
  return { sweeper: new Sweeper({ graceMs: HOUR, keepSnapshots, log, clock }), lines };
}

/** An id as if it had been made now; ids of one instant differ. */
function runIdNow(): string {
  const made = uuidv7obj().toString().slice(14);
  const ms = now.toString(16).padStart(12, '0');
  return `${ms.slice(0, 8)}-${ms.slice(8)}-${made}`;
}
const iso = (ms: number) => new Date(ms).toISOString();
async function* once(text: string) {
  yield Buffer.from(text);
}

/** A run that recorded its keys and made some of them, as it was left. */
async function leftRun(change: Partial<RunRecord>, tables: readonly string[] = ['users']) {
  const runId = runIdNow();
  const nonce = randomUUID();
  const keys = tables.map((table) => `mysql/${table}_${runId}.csv`);
  await openRun(
    lake,
    givenRunRecord({
      run_id: runId,
      started_at: iso(now),
      finished_at: iso(now),
      deadline: iso(now + HOUR),
      ...change,
    }),
  );
  const records = runKeys('mysql', runId);
  const planned = { nonce, keys: [...keys, `mysql/never_made_${runId}.csv`] };
  await lake.putIfAbsent(records.objects(1), Buffer.from(JSON.stringify(planned)));
  for (const key of keys) {
    await lake.create(key, once('id\n'), { contentType: 'text/csv', metadata: { [ATTEMPT_METADATA]: nonce } });
  }
  return { runId, nonce, keys };
}

/** A published run, ten minutes after the one before, which exports `fresh` and carries over the rest. */
async function published(fresh: readonly string[], partial = true) {
  now += 10 * 60_000;
  const { runId, keys } = await leftRun({ state: 'succeeded', error: null }, fresh);
  const base = await fence(lake, 'mysql', Math.floor(now / 1000));
  const entries = fresh.map((table, i) => {
    const entry = { key: keys[i]!, url: lake.urlOf(keys[i]!), registros: 0, bytes: 3, sha256: 'ab'.repeat(32) };
    return [table, { ...entry, columns: [], dropped_columns: [] }];
  });
  await publish(lake, {
    result: {
      ...{ status: 'success', database: 'mysql', result: Object.fromEntries(entries), run_id: runId, attempt: 1 },
      ...{ nonce: 'n', consistency: 'snapshot', taken_at: iso(now), duration_ms: 1, warnings: [] },
    },
    ...{ imageDigest: null, base, partial, settings: {} },
  });
  const twins = fresh.flatMap((table) => parquetKeys('mysql', table, runId));
  for (const twin of twins) await lake.putIfAbsent(twin, Buffer.from('a twin'));
  return { runId, keys, twins };
}
const exists = async (key: string) => (await lake.head(key)) !== null;
const there = async (keys: readonly string[]) => (await Promise.all(keys.map(exists))).filter(Boolean).length;

describe('what failed runs left', () => {
  it('goes after the grace, not before, and their records stay', async () => {
    const { sweeper } = givenSweeper();
    const failed = await leftRun({ state: 'failed' }, ['users', 'orders']);
    const cancelled = await leftRun({ state: 'cancelled' });
    const running = await leftRun({ state: 'running', finished_at: null });
    now += HOUR - 1;
    await sweeper.round(lake);
    expect(await there([...failed.keys, ...cancelled.keys])).toBe(3);
    now += HOUR;
    await sweeper.round(lake);
    expect(await there([...failed.keys, ...cancelled.keys])).toBe(0);
    expect(await there(running.keys)).toBe(1);
    expect(await exists(runKeys('mysql', failed.runId).run)).toBe(true);
  });

  it('goes again at the deadline: a script whose gateway died writes until then', async () => {
    const { sweeper } = givenSweeper();
    const { keys, nonce } = await leftRun({ state: 'failed', deadline: iso(now + 2 * HOUR) });
    now += HOUR;
    await sweeper.round(lake);
    expect(await there(keys)).toBe(0);
    const [late] = keys;
    await lake.create(late!, once('id\n'), { contentType: 'text/csv', metadata: { [ATTEMPT_METADATA]: nonce } });
    now += 2 * HOUR;
    await sweeper.round(lake);
    expect(await there(keys)).toBe(0);
  });

  it('is only what the attempt itself made: recorded keys of others stay', async () => {
    const { sweeper } = givenSweeper();
    const { keys } = await published(['users']);
    const liar = await leftRun({ state: 'failed' });
    const lie = Buffer.from(JSON.stringify({ nonce: liar.nonce, keys }));
    await lake.putIfAbsent(runKeys('mysql', liar.runId).objects(2), lie);
    now += DAY;
    await sweeper.round(lake);
    expect(await there(liar.keys)).toBe(0);
    expect(await there(keys)).toBe(1);
  });

  it('is nothing that the pointer leads to, whatever a record says, nor what a LIST alone shows', async () => {
    const { sweeper } = givenSweeper();
    const base = await fence(lake, 'mysql', 1);
    const { runId, keys } = await leftRun({ state: 'failed' });
    await publish(lake, {
      result: {
        ...{ status: 'success', database: 'mysql', result: {}, run_id: runId, attempt: 1, nonce: 'n' },
        ...{ consistency: 'snapshot', taken_at: iso(now), duration_ms: 1, warnings: [] },
      },
      ...{ imageDigest: null, base, partial: false, settings: {} },
    });
    const stranger = 'mysql/users_20240101_000000.csv';
    await lake.putIfAbsent(stranger, Buffer.from('somebody else'));
    now += DAY;
    await sweeper.round(lake);
    expect(await there([...keys, stranger])).toBe(2);
  });

  it('is found again after a day only above the cursor, and the cursor waits for runs that go on', async () => {
    const old = await leftRun({ state: 'failed' });
    now += 1000;
    const running = await leftRun({ state: 'running', finished_at: null });
    now += 1000;
    const young = await leftRun({ state: 'failed' });
    now += 3 * DAY;
    await givenSweeper().sweeper.round(lake);
    expect(await there([...old.keys, ...young.keys])).toBe(0);
    const cursor = JSON.parse((await lake.get(sweepKeys.runs))!.body.toString());
    expect(cursor.done).toContain(old.runId);
    const reading = { reads: 0 };
    const counting = lakeWith(lake, {
      get: (key: string) => {
        if (key.endsWith('run.json')) reading.reads += 1;
        return lake.get(key);
      },
    });
    await givenSweeper().sweeper.round(counting);
    expect(reading.reads).toBe(2);
    expect(await there(running.keys)).toBe(1);
  });

  it.each([
    ['a list of objects', (runId: string) => runKeys('mysql', runId).objects(2), '{}'],
    ['an upload', (runId: string) => runKeys('mysql', runId).upload(1, 1), '{"key":1}'],
    ['a run record', (runId: string) => runKeys('mysql', runId).run, 'no JSON'],
  ])('stays where %s cannot be read, which is said once; all else goes on', async (_, keyOf, body) => {
    const older = await leftRun({ state: 'failed' });
    const bad = await leftRun({ state: 'failed' });
    const key = keyOf(bad.runId);
    await lake.delete(key);
    await lake.putIfAbsent(key, Buffer.from(body));
    await lake.putIfAbsent(`${PROBES}old.json`, Buffer.from('{}'));
    const first = await published(['users']);
    const second = await published(['users']);
    now += 2 * DAY;
    const { sweeper, lines } = givenSweeper(1);
    for (let i = 0; i < 3; i += 1) {
      await sweeper.round(lake);
      now += HOUR;
    }
    expect([await there(older.keys), await there(bad.keys), await keysOf(lake, PROBES)]).toEqual([0, 1, []]);
    expect(await there([...first.keys, ...second.keys])).toBe(1);
    const cursor = JSON.parse((await lake.get(sweepKeys.runs))!.body.toString());
    expect(cursor.done).toContain(second.runId);
    expect(lines.filter((line) => line.includes(key))).toHaveLength(1);
  });

  it('waits while nobody can read the pointer', async () => {
    const { sweeper, lines } = givenSweeper(1);
    const { keys } = await leftRun({ state: 'failed' });
    const bad = await lake.putIfAbsent(pointerKey('mysql'), Buffer.from('{}'));
    now += 2 * DAY;
    await sweeper.round(lake);
    await lake.putIfMatch(
      pointerKey('mysql'),
      Buffer.from('{"epoch":1,"manifest":null,"updated_at":"2025-01-02T15:30:45Z"}'),
      bad.etag,
    );
    expect(await there(keys)).toBe(1);
    expect(lines.filter((line) => line.includes(pointerKey('mysql'))).length).toBeGreaterThan(0);
    now += HOUR;
    await sweeper.round(lake);
    expect(await there(keys)).toBe(0);
  });

  it('keeps neither probes nor old snapshots where the cursor or another database’s pointer cannot be read', async () => {
    await lake.putIfAbsent(sweepKeys.runs, Buffer.from('{}'));
    await lake.putIfAbsent(pointerKey('a-bad-one'), Buffer.from('{}'));
    await lake.putIfAbsent(`${PROBES}old.json`, Buffer.from('{}'));
    const first = await published(['users']);
    await published(['users']);
    const { sweeper } = givenSweeper(1);
    for (let i = 0; i < 2; i += 1) {
      await sweeper.round(lake);
      now += DAY;
    }
    expect([await there(first.keys), await keysOf(lake, PROBES)]).toEqual([0, []]);
  });

  it('stays where nobody may delete, which is said once, and goes when somebody may', async () => {
    const { keys } = await leftRun({ state: 'failed' });
    const { sweeper, lines } = givenSweeper();
    const keeping = lakeWith(lake, {
      delete: () => Promise.reject(new LakeError('denied', 'not allowed to s3:DeleteObject', '')),
    });
    now += DAY;
    for (let i = 0; i < 3; i += 1) {
      now += HOUR;
      await sweeper.round(keeping);
    }
    expect(lines.filter((line) => line.includes('the sweep is off'))).toHaveLength(1);
    expect(await there(keys)).toBe(1);
    now += HOUR;
    await sweeper.round(lake);
    expect(await there(keys)).toBe(0);
  });

  it('is tried again where the lake was away for a moment', async () => {
    const { keys } = await leftRun({ state: 'failed' });
    const { sweeper } = givenSweeper();
    const away = lakeWith(lake, {
      head: () => Promise.reject(new LakeError('unavailable', 'no', '')),
    });
    now += DAY;
    await sweeper.round(away);
    expect(await there(keys)).toBe(1);
    now += HOUR;
    await sweeper.round(lake);
    expect(await there(keys)).toBe(0);
  });
});

describe('what probes left that broke off', () => {
  it('goes once this gateway has seen it for the grace; what came later stays, and where nobody may list uploads they do', async () => {
    const open = new Set(['an-old-one']);
    const uploads = lakeWith(lake, {
      async *openUploads(prefix: string) {
        for (const uploadId of open) yield { key: `${prefix}g.json`, uploadId };
      },
      abortUpload: async (_, uploadId) => void open.delete(uploadId),
    });
    const { sweeper } = givenSweeper();
    const put = (name: string) => lake.putIfAbsent(PROBES + name, Buffer.from('{}'));
    await put('old.json');
    await sweeper.round(uploads);
    now += HOUR / 2;
    await put('young.json');
    open.add('a-young-one');
    await sweeper.round(uploads);
    expect([await keysOf(lake, PROBES), open.size]).toEqual([[`${PROBES}old.json`, `${PROBES}young.json`], 2]);
    now += HOUR / 2;
    await sweeper.round(uploads);
    expect([await keysOf(lake, PROBES), [...open]]).toEqual([[`${PROBES}young.json`], ['a-young-one']]);
    const unlisted = lakeWith(uploads, {
      // biome-ignore lint/correctness/useYield: it is refused at once.
      async *openUploads() {
        throw new LakeError('denied', 'not allowed to s3:ListBucketMultipartUploads', '');
      },
    });
    now += HOUR;
    await sweeper.round(unlisted);
    expect([await keysOf(lake, PROBES), open.size]).toEqual([[], 1]);
  });
});

describe('published snapshots', () => {
  it('all stay unless a number is set', async () => {
    const all = [await published(['users', 'orders']), await published(['users']), await published(['users'])];
    now += DAY;
    await givenSweeper().sweeper.round(lake);
    expect(await there(all.flatMap(({ keys }) => keys))).toBe(4);
  });

  it('go beyond the newest N, but for what those carry over, and their twins with them', async () => {
    const first = await published(['users', 'orders']);
    const second = await published(['users']);
    const third = await published(['users']);
    const { sweeper } = givenSweeper(1);
    await sweeper.round(lake);
    // Replaced a moment ago: somebody may be reading it.
    expect(await there([...first.keys, ...second.keys, ...third.keys])).toBe(4);
    now += HOUR;
    await sweeper.round(lake);
    expect(await there(second.keys)).toBe(0);
    expect(await there(second.twins)).toBe(0);
    expect(await Promise.all(first.keys.map(exists))).toEqual([false, true]);
    expect(await Promise.all(first.twins.map(exists))).toEqual([false, false, true, true]);
    expect(await there([...third.keys, ...third.twins])).toBe(3);
    // What was carried over goes when the last snapshot that names it does.
    const fourth = await published(['users', 'orders']);
    now += DAY;
    await sweeper.round(lake);
    expect(await there([...first.keys, ...third.keys])).toBe(0);
    expect(await there(fourth.keys)).toBe(2);
    expect((await keysOf(lake)).filter((key) => key.endsWith('manifest.json'))).toHaveLength(4);
  });
});
