import { waitFor } from './wait';

const refused = () => Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });

describe('waiting for a server', () => {
  it('tries again while the server is starting', async () => {
    const answers = [refused(), Object.assign(new Error('the database system is starting up'), { code: '57P03' })];
    const connect = jest.fn(async () => {
      const error = answers.shift();
      if (error) throw error;
    });
    await waitFor('PostgreSQL at pg:5432', 5, connect, 1);
    expect(connect).toHaveBeenCalledTimes(3);
  });

  it('gives up in time and says on what', async () => {
    const never = waitFor('MySQL at my:3306', 0.05, () => Promise.reject(refused()), 10);
    await expect(never).rejects.toThrow('MySQL at my:3306 took no connection within 0.05 s: ECONNREFUSED');
  });

  it('does not wait for a wrong password to become right', async () => {
    const connect = jest.fn(() =>
      Promise.reject(Object.assign(new Error('Access denied'), { code: 'ER_ACCESS_DENIED_ERROR' })),
    );
    await expect(waitFor('MySQL at my:3306', 60, connect)).rejects.toThrow('MySQL at my:3306 refused: Access denied');
    expect(connect).toHaveBeenCalledTimes(1);
  });
});
