import { type Pauses, timers } from '@ingesta/kit';

/** The time as one process sees it. No two processes' clocks are ever compared. */
export interface Clock extends Pauses {
  /** Milliseconds that never go back; may stand still while the machine sleeps. */
  mono(): number;
  /** Milliseconds since 1970; goes on in standby, and may jump. */
  wall(): number;
  /** A random part of `ms`, so that those who failed together do not come again together. */
  jitter(ms: number): number;
}

/** This process's own clock. */
export const systemClock: Clock = {
  mono: () => performance.now(),
  wall: () => Date.now(),
  jitter: (ms) => ms * Math.random(),
  ...timers,
};
