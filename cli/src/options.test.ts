import { parseCommandLine } from './options';

it('reads options before and after the names', () => {
  const { command, names, options, connection } = parseCommandLine(
    '--url http://g run mysql --tables users,orders -t products --format csv.gz -f --retry-for 5'.split(' '),
  );
  expect([command, names, connection.url]).toEqual(['run', ['mysql'], 'http://g']);
  expect(options).toMatchObject({ follow: true, format: 'csv.gz', retryForMs: 5000, timeoutMs: null });
  expect(options.tables).toEqual(['users', 'orders', 'products']);
});

it.each([
  ['frob', 'no command frob'],
  ['constructor', 'no command constructor'],
  ['run mysql --frob', '--frob'],
  ['runs --follow', 'runs takes no --follow'],
  ['cancel x --all', 'cancel takes no --all'],
  ['run mysql --format xml', 'csv or csv.gz'],
  ['run mysql --parallel 0', 'from 1 to 64'],
  ['run mysql --timeout 1e3', 'whole number'],
  ['runs --limit -1', 'limit'],
])('refuses %s', (line, problem) => {
  expect(() => parseCommandLine(line.split(' '))).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(problem) }),
  );
});

it('gives help whatever else stands there', () => {
  expect(parseCommandLine(['frob', '--help']).help).toBe(true);
});
