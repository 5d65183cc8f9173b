import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { concurrently, percentile } from './callers';

describe('many callers', () => {
  let server: Server;
  let url: string;
  let answer: () => number;
  let together: number;
  let most: number;
  beforeEach(async () => {
    [together, most] = [0, 0];
    answer = () => 200;
    server = createServer((_, response) => {
      together += 1;
      most = Math.max(most, together);
      setImmediate(() => {
        together -= 1;
        response.writeHead(answer()).end('{}');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => server.close());

  it('ask at the same time, and as often as they should', async () => {
    const load = await concurrently(url, 4, 20);
    expect(load.times).toHaveLength(20);
    expect([...load.times].sort((a, b) => a - b)).toEqual(load.times);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('take nothing but a 200 for an answer', async () => {
    answer = () => 503;
    await expect(concurrently(url, 2, 4)).rejects.toThrow('503');
  });
});

test('a percentile is the value that so many do not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([50, 99, 100].map((percent) => percentile(hundred, percent))).toEqual([50, 99, 100]);
  expect(percentile([7], 99)).toBe(7);
});
