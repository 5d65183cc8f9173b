import { ApiError } from '../errors';
import type { PublishedRun } from '../ingest/run-answer';
import type { Acquired } from '../runs/acquire-lease';
import { Metrics } from './metrics';

/** The value of each line that begins with `name`, by its labels. */
async function valuesOf(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const lines = (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const table = (registros: number, bytes: number) => ({ url: '', registros, bytes, sha256: '', dropped_columns: [] });
const published = (result: Record<string, ReturnType<typeof table>>) =>
  Promise.resolve({ answer: { result }, manifest: {} } as unknown as PublishedRun);

describe('Metrics', () => {
  let metrics: Metrics;
  beforeEach(() => {
    metrics = new Metrics('1.2.3');
  });

  it('counts runs that succeed, with their rows and bytes, and hands them on', async () => {
    const run = published({ users: table(3, 100), orders: table(4, 200) });
    expect(await metrics.run('mysql', run)).toBe(await run);
    await metrics.run('mysql', published({ users: table(1, 1) }));
    expect(await valuesOf(metrics, 'ingesta_runs_total')).toEqual({
      '{database="mysql",state="succeeded",code=""}': 2,
    });
    expect(await valuesOf(metrics, 'ingesta_exported_rows_total')).toEqual({ '{database="mysql"}': 8 });
    expect(await valuesOf(metrics, 'ingesta_exported_bytes_total')).toEqual({ '{database="mysql"}': 301 });
    expect(await valuesOf(metrics, 'ingesta_run_duration_seconds_count')).toEqual({
      '{database="mysql",state="succeeded"}': 2,
    });
  });

  it('counts failures by their code, cancellations apart, and no run that was refused because another is under way', async () => {
    for (const code of ['SOURCE_AUTH', 'RUN_CANCELLED', 'RUN_IN_PROGRESS'] as const) {
      const failure = new ApiError(code, 'x');
      await expect(metrics.run('mysql', Promise.reject(failure))).rejects.toBe(failure);
    }
    expect(await valuesOf(metrics, 'ingesta_runs_total')).toEqual({
      '{database="mysql",state="failed",code="SOURCE_AUTH"}': 1,
      '{database="mysql",state="cancelled",code="RUN_CANCELLED"}': 1,
    });
  });

  it('tells leases that were free from those taken over and those refused', async () => {
    const had = (predecessor: string | null) => Promise.resolve({ predecessor } as Acquired);
    await metrics.lease('mysql', had(null));
    await metrics.lease('mysql', had('run'));
    await expect(metrics.lease('mysql', Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await valuesOf(metrics, 'ingesta_lease_acquire_seconds_count')).toEqual({
      '{database="mysql",outcome="acquired"}': 1,
      '{database="mysql",outcome="takeover"}': 1,
      '{database="mysql",outcome="refused"}': 1,
    });
  });

  it('counts queries by how they ended, and answers from memory', async () => {
    expect(await metrics.query('/x', Promise.resolve(1))).toBe(1);
    await expect(metrics.query('/x', Promise.reject(new ApiError('QUERY_TIMEOUT', 'x')))).rejects.toThrow();
    metrics.cacheHit('/x');
    expect(await valuesOf(metrics, 'ingesta_query_duration_seconds_count')).toEqual({
      '{route="/x",outcome="ok"}': 1,
      '{route="/x",outcome="QUERY_TIMEOUT"}': 1,
    });
    expect(await valuesOf(metrics, 'ingesta_query_cache_hits_total')).toEqual({ '{route="/x"}': 1 });
  });

  it('asks anew at each scrape what is under way and how old the data is', async () => {
    let ageSeconds: Record<string, number> = { mysql: 60, gone: 1 };
    let lakeUp = true;
    metrics.watch({ runs: () => ({ running: 2, queued: 1 }), data: async () => ({ lakeUp, ageSeconds }) });
    expect(await valuesOf(metrics, 'ingesta_runs_in_progress')).toEqual({
      '{state="running"}': 2,
      '{state="queued"}': 1,
    });
    expect(await valuesOf(metrics, 'ingesta_data_age_seconds')).toEqual({
      '{database="mysql"}': 60,
      '{database="gone"}': 1,
    });
    expect(await valuesOf(metrics, 'ingesta_lake_up')).toEqual({ '': 1 });
    ageSeconds = { mysql: 70 };
    lakeUp = false;
    expect(await valuesOf(metrics, 'ingesta_data_age_seconds')).toEqual({ '{database="mysql"}': 70 });
    expect(await valuesOf(metrics, 'ingesta_lake_up')).toEqual({ '': 0 });
  });

  it('tells of the process too, and of its version', async () => {
    expect(await valuesOf(metrics, 'process_resident_memory_bytes')).toEqual({ '': expect.any(Number) });
    expect(await valuesOf(metrics, 'ingesta_build_info')).toEqual({ '{version="1.2.3"}': 1 });
  });
});
