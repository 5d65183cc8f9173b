import { describeWith } from '../../services/need';
import type { Contender } from './contender';
import { scriptToFolder } from './contenders/script';
import type { LoadedTable } from './dataset/loaded-table';
import { ENGINES } from './engines';
import { comparisonTable } from './report';
import { type Figure, runRounds } from './rounds';

const ROWS = 2_000;

describeWith(['postgresql', 's3'], 'a small comparison on a real PostgreSQL', () => {
  let table: LoadedTable;
  let figures: Figure[];
  const said: string[] = [];
  const find = (id: string) => figures.find((figure) => figure.id === id)!;

  /** Something that ends well and has read nothing. */
  const liar: Contender = {
    ...{ id: 'liar', title: 'liar', role: 'other', prepare: async () => '1.0' },
    program: () => ({ command: process.execPath, args: ['-e', '0'], env: {} }),
    output: async () => ({ rows: ROWS - 1, bytes: 0 }),
  };
  const broken: Contender = {
    ...{ ...liar, id: 'broken', title: 'broken' },
    program: () => ({
      command: process.execPath,
      args: ['-e', 'console.error("out of luck"); process.exit(3)'],
      env: {},
    }),
  };
  const missing: Contender = {
    ...{ ...liar, id: 'missing', title: 'missing' },
    prepare: () => Promise.reject(new Error('nowhere to be had')),
  };
  const other = scriptToFolder('postgresql', 'the same, compressed', { FORMAT: 'csv.gz' }, 'gzip');
  const slow: Contender = { ...scriptToFolder('postgresql', 'seldom', {}, 'slow'), atMost: 1 };

  beforeAll(async () => {
    const engine = ENGINES.postgresql;
    table = await engine.load(ROWS);
    // Its image is built and run by the tests of images; here it would take minutes.
    const contenders = engine.contenders().filter(({ id }) => id !== 'script-image');
    const all = [...contenders, liar, broken, missing, other, slow];
    figures = await runRounds(all, table, 2, (line) => said.push(line));
  }, 120_000);

  afterAll(() => table?.drop());

  test('the script writes every row, into a folder and to S3, the same bytes, and is measured in each round', () => {
    for (const id of ['script', 'script-ranges', 'script-s3']) {
      expect(find(id).problem).toBeUndefined();
      expect(find(id).output!.rows).toBe(ROWS);
      expect(find(id).runs).toHaveLength(2);
      expect(find(id).output).toEqual(find('script').output);
    }
    if (process.platform === 'linux') expect(find('script').peakRss).toBeGreaterThan(30 * 2 ** 20);
  });

  test('psql writes every row, too, where it is installed', () => {
    const own = find('own');
    if (own.version === '') expect(own.problem).toBe('psql is not installed');
    else expect([own.problem, own.output!.rows]).toEqual([undefined, ROWS]);
  });

  test('whoever has fewer rows, fails or is missing is told as such, and does not stop the others', () => {
    expect(find('liar').problem).toBe('gave 1999 rows of 2000');
    expect(find('broken').problem).toBe('ended with 3: out of luck');
    expect(find('missing')).toMatchObject({ problem: 'nowhere to be had', version: '' });
    expect(comparisonTable(figures)).toContain('absent: nowhere to be had');
  });

  test('a way of the script that writes other bytes is an error', () => {
    expect(find('gzip').problem).toMatch(/^wrote \d+ bytes, this project, process → folder, one connection \d+$/);
  });

  test('the slow ones run in fewer rounds', () => {
    expect(find('slow').runs).toHaveLength(1);
  });
});
