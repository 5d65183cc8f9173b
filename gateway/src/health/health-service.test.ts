import type { Lake } from '@ingesta/kit';
import { Snapshots } from '../analytics/snapshots';
import { ApiError } from '../errors';
import type { SourceListing } from '../runners/runner';
import { fence } from '../runs/fence';
import { publish } from '../runs/publication';
import { FakeRunner } from '../testing/fake-runner';
import { exportTables, givenConfig, givenJob, givenLake } from '../testing/given';
import { HealthService } from './health-service';

const never = () => new Promise<never>(() => undefined);

describe('/health', () => {
  let lake: Lake;
  let remove: () => Promise<void>;
  beforeEach(async () => {
    ({ lake, remove } = await givenLake());
  });
  afterEach(() => remove());

  const serviceOn = (
    open: () => Promise<Lake>,
    now: () => number,
    catalog?: { problems(): Record<string, string> },
    runner = new FakeRunner(),
    wall = now,
  ) =>
    new HealthService(
      {
        ...{
          config: givenConfig(),
          runner,
          lake: open,
          snapshots: new Snapshots(open),
          version: '1',
        },
        ...(catalog && { catalog }),
      },
      { mono: now, wall },
    );
  const ingest = async () => {
    const result = await exportTables(lake, givenJob(), { users: 'id\n1\n' });
    await publish(lake, {
      result,
      imageDigest: null,
      base: await fence(lake, 'mysql', 1),
      partial: false,
      settings: {},
    });
  };

  it('tells tables, sizes and ages from what is committed', async () => {
    const service = serviceOn(async () => lake, Date.now);
    expect(await service.data()).toMatchObject({ status: 'OK', data_availability: {} });
    await ingest();
    const later = serviceOn(async () => lake, Date.now);
    expect(await later.data()).toMatchObject({
      status: 'OK',
      data_availability: { mysql: { users: true } },
      bucket_summary: { total_objects: 1 },
    });
  });

  it('tells what is wrong with the tables in Glue where they are kept, and of no catalog where none is', async () => {
    let clock = 0;
    let problems: Record<string, string> = {};
    let open = async () => lake;
    const service = serviceOn(
      () => open(),
      () => clock,
      { problems: () => problems },
    );
    expect((await service.data()).catalog).toEqual({});
    problems = { mysql: 'Glue database primac: LAKE_DENIED: Glue refused' };
    clock += 10_000;
    expect(await service.data()).toMatchObject({ status: 'OK', catalog: problems });
    // The lake's silence does not freeze it.
    problems = {};
    open = () => Promise.reject(new Error('away'));
    clock += 10_000;
    expect(await service.data()).toMatchObject({ status: 'DEGRADED', catalog: {} });
    expect(await serviceOn(async () => lake, Date.now).data()).not.toHaveProperty('catalog');
  });

  it('asks the lake once in ten seconds, however many ask', async () => {
    let asked = 0;
    let clock = 0;
    const service = serviceOn(
      async () => {
        asked += 1;
        return lake;
      },
      () => clock,
    );
    await Promise.all([service.data(), service.data(), service.data()]);
    const once = asked;
    clock = 9_999;
    await service.data();
    expect(asked).toBe(once);
    clock = 10_000;
    await service.data();
    expect(asked).toBe(2 * once);
  });

  it('is DEGRADED with a lake that never answers, and goes on telling what was known', async () => {
    await ingest();
    let open = async () => lake;
    let clock = Date.now();
    const service = serviceOn(
      () => open(),
      () => clock,
    );
    await service.data();
    open = async () => ({ ...lake, get: never }) as unknown as Lake;
    clock += 60_000;
    expect(await service.data()).toMatchObject({
      status: 'DEGRADED',
      problem: expect.stringContaining('LAKE_UNAVAILABLE'),
      data_availability: { mysql: { users: true } },
    });
  });

  it('goes on counting the age of the data while the lake is away', async () => {
    await ingest();
    let open = async () => lake;
    let clock = Date.parse('2025-01-02T15:31:45Z');
    const service = serviceOn(
      () => open(),
      () => clock,
    );
    expect(await service.data()).toMatchObject({ status: 'OK', data_age_seconds: { mysql: 60 } });
    open = () => Promise.reject(new Error('away'));
    clock += 3_600_000;
    expect(await service.data()).toMatchObject({
      status: 'DEGRADED',
      timestamp: '2025-01-02T16:31:45.000Z',
      data_age_seconds: { mysql: 3660 },
    });
  });

  it('answers no longer from what it read before when the clock was set back', async () => {
    let clock = 0;
    let wall = Date.parse('2025-01-02T16:30:45Z');
    const service = serviceOn(
      async () => lake,
      () => clock,
      undefined,
      undefined,
      () => wall,
    );
    await service.data();
    await ingest();
    clock += 10_000;
    wall -= 1_800_000;
    expect(await service.data()).toMatchObject({ data_age_seconds: { mysql: 1800 } });
  });

  it('waits for no runner that is frozen, and lays that at the door of nobody else', async () => {
    await ingest();
    let clock = Date.now();
    const runner = new FakeRunner();
    const { list } = runner;
    const service = serviceOn(
      async () => lake,
      () => clock,
      undefined,
      runner,
    );
    const known = await service.data();
    expect(known).not.toHaveProperty('runner');
    let thaw: (listings: SourceListing[]) => void = () => undefined;
    let asked = 0;
    runner.list = () => {
      asked += 1;
      return new Promise((resolve) => {
        thaw = resolve;
      });
    };
    clock += 10_000;
    expect(await service.data()).toMatchObject({
      status: 'OK',
      runner: expect.stringMatching(/^RUNNER_UNAVAILABLE: .*no list/),
      data_availability: known.data_availability,
    });
    expect(await service.overview()).toMatchObject({ available_databases: ['MySQL', 'X'] });
    expect(await service.ingestion()).toMatchObject({
      status: 'DEGRADED',
      runner: { state: 'failing', detail: expect.stringMatching(/^RUNNER_UNAVAILABLE: .*no list/) },
      images: { mysql: { state: 'ok' } },
    });
    expect(asked).toBe(1);
    // What came late is known from then on.
    thaw((await list.call(runner)).slice(0, 1));
    await new Promise(setImmediate);
    expect(await service.overview()).toMatchObject({ available_databases: ['MySQL'] });
    thaw(await list.call(runner));
    runner.list = list;
    clock += 10_000;
    expect(await service.data()).not.toHaveProperty('runner');
  });

  it('waits longer while there is nothing older to tell, and for who looks for what is wrong', async () => {
    const runner = new FakeRunner();
    const { list } = runner;
    runner.list = () => new Promise((resolve) => setTimeout(() => resolve(list.call(runner)), 1_200));
    const service = serviceOn(async () => lake, Date.now, undefined, runner);
    expect(await service.overview()).toMatchObject({ available_databases: ['MySQL', 'X'] });
    const later = serviceOn(async () => lake, Date.now, undefined, runner);
    expect((await later.ingestion()).images).toMatchObject({ mysql: { state: 'ok' } });
  });

  it('says so where no list of sources was ever to be had', async () => {
    const runner = new FakeRunner();
    runner.broken = new ApiError('RUNNER_UNAVAILABLE', 'no engine');
    const service = serviceOn(async () => lake, Date.now, undefined, runner);
    expect(await service.data()).toMatchObject({ status: 'OK', runner: 'RUNNER_UNAVAILABLE: no engine' });
    expect(await service.overview()).toMatchObject({ available_databases: [] });
    expect(await service.ingestion()).toMatchObject({ status: 'DEGRADED', runner: { state: 'failing' } });
  });

  it('says of each part whether an ingestion could run', async () => {
    const silent = { ...lake, check: never } as unknown as Lake;
    expect(await serviceOn(async () => silent, Date.now).ingestion()).toMatchObject({
      status: 'DEGRADED',
      runner: { state: 'ok' },
      images: { mysql: { state: 'ok' }, x: { state: 'failing', hint: expect.stringContaining('build-images.sh') } },
      lake: { state: 'failing' },
    });
  });
});
