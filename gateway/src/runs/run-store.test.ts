import { type Lake, LakeError, type RunRecord, runKeys } from '@ingesta/kit';
import { givenLake, readJson } from '../testing/given';
import { closeRun, openRun } from './run-store';

const RECORD: RunRecord = {
  run_id: 'run-1',
  database: 'mysql',
  state: 'running',
  started_at: '2025-01-02T15:30:45.000Z',
  finished_at: null,
  timestamp: '20250102_153045',
  request: { tables: null, format: 'csv', dry_run: false },
  runner: 'docker',
  image: 'ingesta-mysql:latest',
  image_digest: null,
  attempts: 1,
  consistency: null,
  duration_ms: null,
  error: null,
};

describe('a run record', () => {
  let lake: Lake;
  let remove: () => Promise<void>;
  beforeEach(async () => ({ lake, remove } = await givenLake()));
  afterEach(() => remove());
  const stored = () => readJson(lake, runKeys('mysql', 'run-1').run);

  it('says running, then how it ended', async () => {
    const run = await openRun(lake, RECORD);
    expect(await stored()).toEqual(RECORD);
    await closeRun(lake, run, { state: 'succeeded', finished_at: '2025-01-02T15:30:46.000Z', duration_ms: 1000 });
    expect(await stored()).toMatchObject({ state: 'succeeded', duration_ms: 1000 });
  });

  it('keeps its terminal state', async () => {
    const run = await openRun(lake, RECORD);
    await closeRun(lake, run, { state: 'failed' });
    await expect(closeRun(lake, run, { state: 'succeeded' })).rejects.toBeInstanceOf(LakeError);
    expect(await stored()).toMatchObject({ state: 'failed' });
  });

  it('is not opened twice', async () => {
    await openRun(lake, RECORD);
    await expect(openRun(lake, RECORD)).rejects.toMatchObject({ kind: 'precondition' });
  });
});
