import { type Lake, type Manifest, type ManifestEntry, manifestSchema, runKeys } from '@ingesta/kit';
import { ApiError } from '../../errors';
import { commitSnapshot } from '../../testing/commit-snapshot';
import { capturedLog, givenLake } from '../../testing/given';
import { type Twin, twinKey, twinMetadata } from '../engines/twin';
import { PublishedTwins, type PublishedTwinsParts } from './published-twins';

const RUNS = ['01890a5d-ac96-774b-bcce-b302099a8051', '01890a5d-ac96-774b-bcce-b302099a8052'] as const;
const columns = [{ name: 'id', logical_type: 'integer', source_type: 'int' }] as const;

let lake: Lake;
let remove: () => Promise<void>;
/** Of the last commit. */
let epoch: number;
beforeEach(async () => {
  epoch = 0;
  ({ lake, remove } = await givenLake());
});
afterEach(() => remove());

/** Commits tables of `mysql`, `users` and `logs` unless told; routes read all but `logs`. */
async function commit(runId: string, kept: Record<string, ManifestEntry> = {}, names = ['users', 'logs']) {
  epoch += 1;
  const tables = Object.fromEntries(names.map((name) => [name, { csv: `id\n${name.length}\n`, columns }]));
  await commitSnapshot(lake, 'mysql', tables, { runId, takenAt: '2025-01-02T00:00:00.000Z', kept, epoch });
  const stored = await lake.get(runKeys('mysql', runId).manifest);
  return manifestSchema.parse(JSON.parse(stored!.body.toString('utf8')));
}

async function* nothing() {}

/** A maker that leaves the object, unless told to fail or to wait. */
function given(change: Partial<PublishedTwinsParts> = {}) {
  const made: string[] = [];
  let hinder: (key: string, signal: AbortSignal) => Promise<void> | void = () => undefined;
  const makeTwin = async (database: string, table: string, entry: ManifestEntry, signal: AbortSignal) => {
    const key = twinKey(database, table, entry);
    made.push(key);
    await hinder(key, signal);
    await put(database, table, entry);
    return { key } as Twin;
  };
  const { log, lines } = capturedLog();
  const wants = (_: string, table: string) => table !== 'logs';
  const parts = { maker: { makeTwin }, lake: async () => lake, wants, log, pausesMs: [0, 0], answerMs: 60_000 };
  const twins = new PublishedTwins({ ...parts, ...change });
  const hindered = (by: typeof hinder) => {
    hinder = by;
  };
  return { twins, made, lines, hindered };
}
const put = (database: string, table: string, entry: ManifestEntry) =>
  lake.create(twinKey(database, table, entry), nothing(), {
    contentType: 'x',
    metadata: twinMetadata(entry, { sha256: 'ab'.repeat(32), types: '' }),
  });
const keyOf = (manifest: Manifest, table = 'users') => twinKey('mysql', table, manifest.tables[table]!);
const broken = () => new ApiError('LAKE_UNAVAILABLE', 'no lake today');
/** A maker that is stuck until the signal. */
const stuck = (_: string, signal: AbortSignal) =>
  new Promise<void>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

it('makes the twins of the tables that are read, and says that they are there', async () => {
  const { twins, made } = given();
  const manifest = await commit(RUNS[0]);
  expect(await twins.published(manifest)).toEqual({ users: 'ready' });
  expect(made).toEqual([keyOf(manifest)]);
  expect(await twins.states(manifest)).toEqual({ users: 'ready' });
});

it('does not wait for them longer than it may', async () => {
  const { twins, hindered } = given({ answerMs: 0 });
  hindered(stuck);
  const manifest = await commit(RUNS[0]);
  expect(await twins.published(manifest)).toEqual({ users: 'pending' });
  expect(await twins.states(manifest)).toEqual({ users: 'pending' });
  await twins.close();
});

it('tries again a few times, and says in log and state why it gave up', async () => {
  const { twins, made, lines, hindered } = given();
  hindered(() => {
    throw broken();
  });
  const manifest = await commit(RUNS[0]);
  expect(await twins.published(manifest)).toEqual({ users: 'failed: no lake today' });
  expect(made).toHaveLength(3);
  expect(await twins.states(manifest)).toEqual({ users: 'failed: no lake today' });
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', table: 'users', code: 'LAKE_UNAVAILABLE' });
});

it('says that it failed while it is tried again', async () => {
  const { twins, hindered } = given({ pausesMs: [60_000], answerMs: 0 });
  hindered(() => {
    throw broken();
  });
  const manifest = await commit(RUNS[0]);
  await twins.published(manifest);
  while ((await twins.states(manifest)).users === 'pending') await new Promise(setImmediate);
  expect(await twins.states(manifest)).toEqual({ users: 'failed: no lake today' });
  await twins.close();
});

it('does not try again what is no CSV', async () => {
  const { twins, made, hindered } = given();
  hindered(() => {
    throw new ApiError('DATA_NOT_AVAILABLE', 'users is no CSV');
  });
  expect(await twins.published(await commit(RUNS[0]))).toEqual({ users: 'failed: users is no CSV' });
  expect(made).toHaveLength(1);
});

it.each(['the next publication', 'a query'])('repairs with %s what was given up', async (by) => {
  const { twins, made, hindered } = given({ pausesMs: [] });
  hindered(() => {
    throw broken();
  });
  const manifest = await commit(RUNS[0]);
  await twins.published(manifest);
  hindered(() => undefined);
  if (by === 'a query') {
    twins.want(manifest, 'users', manifest.tables.users!);
    twins.want(manifest, 'logs', manifest.tables.logs!);
    await twins.make(manifest);
  } else {
    // A run over another table carries `users` over.
    const next = await commit(RUNS[1], { users: manifest.tables.users! }, ['orders']);
    expect(await twins.published(next)).toEqual({ orders: 'ready' });
  }
  expect(made.filter((key) => key === keyOf(manifest))).toHaveLength(2);
  expect(await twins.states(manifest)).toEqual({ users: 'ready' });
});

it.each([
  ['of gateways that agree on the time', RUNS],
  ['of a gateway that is behind the one before', [RUNS[1], RUNS[0]]],
])(
  'leaves the twin of an earlier snapshot for that of a later one, and not the other way round, %s',
  async (_, runs) => {
    const { twins, made, hindered } = given();
    const [first, second] = [await commit(runs[0]!), await commit(runs[1]!)];
    hindered((key, signal) => (key === keyOf(first) ? stuck(key, signal) : undefined));
    const left = twins.make(first);
    expect(await twins.published(second)).toEqual({ users: 'ready' });
    await left;
    // A query over the snapshot before.
    twins.want(first, 'users', first.tables.users!);
    expect(made).toEqual([keyOf(first), keyOf(second)]);
  },
);

it('says when the twins are there, and not before', async () => {
  const followed: string[] = [];
  let made: string[] = [];
  const own = given({
    afterwards: async ({ run_id }) => {
      followed.push(`${run_id} after ${made.length}`);
    },
  });
  made = own.made;
  await own.twins.published(await commit(RUNS[0]));
  await own.twins.close();
  expect(followed).toEqual([`${RUNS[0]} after 1`]);
});

it('does what another gateway has left undone, and asks for no twin that is there', async () => {
  const followed: string[] = [];
  const { twins, made } = given({
    afterwards: async ({ run_id }) => {
      followed.push(run_id);
    },
  });
  const first = await commit(RUNS[0]);
  const second = await commit(RUNS[1], { orders: { ...first.tables.users! } }, ['users']);
  await put('mysql', 'users', second.tables.users!);
  await twins.resume(second);
  while (followed.length === 0) await new Promise(setImmediate);
  expect(made).toEqual([keyOf(second, 'orders')]);
  expect(followed).toEqual([RUNS[1]]);
});

it('sees twins that somebody else has made', async () => {
  const { twins, made } = given();
  const manifest = await commit(RUNS[0]);
  expect(await twins.states(manifest)).toEqual({ users: 'pending' });
  await put('mysql', 'users', manifest.tables.users!);
  expect(await twins.states(manifest)).toEqual({ users: 'ready' });
  twins.want(manifest, 'users', manifest.tables.users!);
  expect(made).toEqual([]);
});

it('ends with its gateway', async () => {
  const { twins, hindered } = given();
  hindered(stuck);
  const answer = twins.published(await commit(RUNS[0]));
  await twins.close();
  expect(await answer).toEqual({ users: 'pending' });
});
