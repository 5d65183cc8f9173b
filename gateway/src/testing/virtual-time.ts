import timers from 'node:timers/promises';

/** Timers of this process that pass when the test says so (`jest.advanceTimersByTimeAsync`), those of promises too. */
export function useVirtualTime(): void {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  // Jest does not know these.
  const sleep = <T>(ms?: number, value?: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value as T), ms));
  jest.spyOn(timers, 'setTimeout').mockImplementation(sleep);
}

/** Real timers again. */
export function useRealTime(): void {
  jest.restoreAllMocks();
  jest.useRealTimers();
}
