import { givenLake } from '../../../testing/given';
import { type GivenEngine, givenEngine } from '../testing/given-engine';

const never = () => new AbortController().signal;
const numbers = (n: number) => `FROM range(${n}) a(x), range(1000) b(y)`;

describe('memory and threads of queries', () => {
  let lake: Awaited<ReturnType<typeof givenLake>>;
  let own: GivenEngine;
  beforeAll(async () => {
    lake = await givenLake();
    // What does not fit into memory may take as much of the disk as the cache.
    own = await givenEngine(lake.env, { memoryMiB: 100, threads: 1, cacheMiB: 30 });
  });
  afterAll(async () => {
    await own?.close();
    await lake.remove();
  });

  const ask = async (sql: string) => {
    const [result] = await own.engine.query([], [{ sql, parameters: [] }], never());
    return result!.rows;
  };

  it('are those that the settings give', async () => {
    const settings = ['memory_limit', 'threads', 'max_temp_directory_size'].map((name) => `current_setting('${name}')`);
    expect(await ask(`SELECT ${settings.join(', ')}`)).toEqual([['100.0 MiB', 1, '30.0 MiB']]);
  });

  it('end a query that needs more, on the disk too, and not the engine', async () => {
    expect(await ask('SELECT 1 AS n')).toEqual([[1]]);
    const { pid } = own.child;
    const greedy = `SELECT count(*) AS n FROM (SELECT DISTINCT hash(x, y) || 'and some more text' AS h ${numbers(20_000)})`;
    await expect(ask(greedy)).rejects.toMatchObject({
      code: 'RESULT_TOO_LARGE',
      message: expect.stringContaining('more memory'),
      hint: expect.stringContaining('DUCKDB_MEMORY_MB'),
    });
    // Nothing of it stays where the next one needs room.
    const frugal = `SELECT count(*) AS n FROM (SELECT DISTINCT hash(x, y) AS h ${numbers(500)})`;
    expect(await ask(frugal)).toEqual([[500_000]]);
    expect(own.child.pid).toBe(pid);
  });
});
