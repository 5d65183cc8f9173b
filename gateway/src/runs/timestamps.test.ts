import { Timestamps } from './timestamps';

describe('Timestamps', () => {
  it('never gives one database the same second twice, also when the clock steps back', () => {
    let now = 10_900;
    const timestamps = new Timestamps(() => now);
    const seconds = () => timestamps.next('mysql').getTime() / 1000;
    expect([seconds(), seconds()]).toEqual([10, 11]);
    now = 1000;
    expect(seconds()).toBe(12);
    now = 60_000;
    expect(seconds()).toBe(60);
    expect(timestamps.next('postgresql').getTime()).toBe(60_000);
  });
});
