import { loopbackVariables } from './loopback';

it.each([
  ['localhost', 'localhost'],
  ['LOCALHOST', 'LOCALHOST'],
  ['127.0.0.1', '127.0.0.1'],
  ['127.8.9.1', '127.8.9.1'],
  ['::1', '::1'],
  ['postgresql://user:CANARY@localhost:5432/db', 'localhost'],
  ['http://127.0.0.1:9000', '127.0.0.1'],
  ['http://[::1]:9000', '[::1]'],
  ['10.0.0.1, localhost', 'localhost'],
])('%s means this machine', (value, host) => {
  expect(loopbackVariables(['A'], { A: value })).toEqual([{ name: 'A', host }]);
});

it.each([
  'db.example.com',
  '10.0.0.1',
  'host.docker.internal',
  'localhost.example.com',
  '',
  '/var/run/postgresql',
  'http://s3:9000',
])('%s does not', (value) => {
  expect(loopbackVariables(['A', 'B'], { A: value })).toEqual([]);
});
