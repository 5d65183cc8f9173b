import { errors } from 'cassandra-driver';
import { connectError, judgeRead } from './server-error';

/** As the protocol numbers them. */
const response = (code: number) => new errors.ResponseError(code, 'told by a node');

it.each([
  ['silent', 'nobody answered', new errors.OperationTimedOutError('no answer in time', '10.0.0.1:9042')],
  ['slow', 'replicas took too long', response(0x1200)],
  ['slow', 'too many tombstones', response(0x1300)],
  ['slow', 'the coordinator has too much to do', response(0x1001)],
  ['final', 'too few replicas are up', response(0x1000)],
  ['final', 'a node that is still starting', response(0x1002)],
  ['final', 'no right to the table', response(0x2100)],
  ['final', 'a table that is gone', response(0x2200)],
  ['final', 'a broken connection', new errors.NoHostAvailableError({}, 'no host')],
  ['final', 'a defect of ours', new TypeError('x is not a function')],
])('a read is %s where %s', (verdict, _, error) => {
  expect(judgeRead(error)).toBe(verdict);
});

it('takes what the driver refuses for a setting', () => {
  expect(connectError(new errors.ArgumentError('no such data center'), 'db:9042')).toMatchObject({
    exitCode: 64,
    hint: expect.stringContaining('CASSANDRA_LOCAL_DC'),
  });
});
