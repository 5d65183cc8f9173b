import { choose } from './choose';

test('without arguments everything is measured, on every engine', () => {
  const { post, gateway, extraction, analytics } = choose([]);
  expect({ post, gateway }).toEqual({ post: true, gateway: true });
  expect(extraction).toMatchObject({ comparison: true, series: true, rows: 1_000_000, peers: true, write: false });
  expect(analytics).toMatchObject({ policies: 5_000_000, write: false });
  expect(extraction!.engines).toEqual(['postgresql', 'mysql', 'mongodb', 'cassandra']);
});

test('names choose what is measured, options how', () => {
  const argv = ['extraction', '--engine', 'mongodb,mysql', '--rows', '2000', '--rounds', '3', '--no-peers', '--write'];
  const { post, gateway, extraction } = choose(argv);
  expect({ post, gateway }).toEqual({ post: false, gateway: false });
  expect(extraction).toEqual({
    engines: ['mongodb', 'mysql'],
    comparison: true,
    series: false,
    rows: 2000,
    rounds: 3,
    full: false,
    peers: false,
    write: true,
    command: `npm run bench -- ${argv.join(' ')}`,
  });
  expect(choose(['post'])).toMatchObject({ extraction: undefined, analytics: undefined });
  expect(choose(['analytics', '--rows', '500', '--write'])).toMatchObject({
    extraction: undefined,
    analytics: { policies: 500, write: true, command: 'npm run bench -- analytics --rows 500 --write' },
  });
  expect(choose(['runs', '--runs', '7'])).toMatchObject({ runs: 7, load: false });
  expect(choose([]).runs).toBe(1000);
  expect(choose(['load']).runs).toBeUndefined();
  expect(choose(['series']).extraction!.rounds).toBeUndefined();
});

test.each([
  [['speed'], 'no measurement speed'],
  [['--engine', 'oracle'], 'no oracle'],
  [['--rows', '1e6'], '--rows 1e6'],
  [['--rounds', '0'], '--rounds 0'],
  [['--quick'], '--quick'],
])('%j is refused', (argv, said) => {
  expect(() => choose(argv)).toThrow(said);
});
