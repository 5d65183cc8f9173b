import { createHash } from 'node:crypto';
import { type Lake, LakeError } from '@ingesta/kit';
import type { Clock } from '../runs/clock';

/** Time that passes only when everybody waits. Milliseconds. */
export class VirtualTime {
  now = 0;
  #order = 0;
  readonly #sleepers: { at: number; order: number; wake: () => void }[] = [];

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#order += 1;
      this.#sleepers.push({ at: this.now + Math.max(0, Math.ceil(ms)), order: this.#order, wake });
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Lets time pass until `until`; `look` is called at each moment, after all that happens in it. */
  async pass(until: number, look: () => void): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      look();
      const next = this.#sleepers.reduce<number>(
        (best, { at, order }, i, all) =>
          best < 0 || at < all[best]!.at || (at === all[best]!.at && order < all[best]!.order) ? i : best,
        -1,
      );
      const sleeper = this.#sleepers[next];
      if (sleeper === undefined || sleeper.at > until) break;
      this.#sleepers.splice(next, 1);
      this.now = sleeper.at;
      sleeper.wake();
    }
    this.now = until;
  }
}

/** What goes wrong with one call to the lake. */
export type CallFault = 'none' | 'slow' | 'refused' | 'lost_answer' | 'conflict' | 'late' | 'silence';
export const CALL_FAULTS: readonly CallFault[] = [
  'none',
  'slow',
  'refused',
  'lost_answer',
  'conflict',
  'late',
  'silence',
];

/** What happens to a machine: killed, stopped (SIGSTOP), put to sleep (timers stand still), or its clock is set. */
export interface MachineFault {
  kind: 'kill' | 'stop' | 'standby' | 'wall';
  at: number;
  /** Duration; for `wall` how far the clock is set. */
  ms: number;
}

/** One gateway's machine: its clocks, and whether its program runs at this moment. */
export class Machine implements Clock {
  #stoppedUntil = 0;
  #standbyMs = 0;
  #wallOffset = 0;

  constructor(
    readonly time: VirtualTime,
    faults: readonly MachineFault[],
  ) {
    for (const fault of faults) void time.sleep(fault.at).then(() => this.#suffer(fault));
  }

  mono(): number {
    return this.time.now - this.#standbyMs - (this.#inStandby ? this.time.now - this.#standbySince : 0);
  }

  wall(): number {
    return 1_700_000_000_000 + this.time.now + this.#wallOffset;
  }

  jitter(ms: number): number {
    return Math.ceil(ms / 2);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await this.time.sleep(ms, signal);
    await this.running();
  }

  /** Resolves when the program may go on. */
  async running(): Promise<void> {
    while (this.time.now < this.#stoppedUntil) await this.time.sleep(this.#stoppedUntil - this.time.now);
  }

  #inStandby = false;
  #standbySince = 0;

  #suffer({ kind, ms }: MachineFault): void {
    if (kind === 'wall') this.#wallOffset += ms;
    else this.#stoppedUntil = Math.max(this.#stoppedUntil, kind === 'kill' ? Infinity : this.time.now + ms);
    if (kind === 'standby' && !this.#inStandby) {
      this.#inStandby = true;
      this.#standbySince = this.time.now;
      void this.time.sleep(ms).then(() => {
        this.#inStandby = false;
        this.#standbyMs += ms;
      });
    }
  }
}

type Stored = { body: Buffer; etag: string };

/** The store behind all machines: conditional writes, ETags that follow the content, a history of every change. */
export class VirtualStore {
  readonly objects = new Map<string, Stored>();
  readonly history: { key: string; body: string }[] = [];

  write(key: string, body: Uint8Array, condition: string | null): { etag: string } {
    const found = this.objects.get(key)?.etag ?? null;
    if (found !== condition) throw new LakeError('precondition', 'PreconditionFailed', '');
    const copy = Buffer.from(body);
    const etag = createHash('md5').update(copy).digest('hex');
    this.objects.set(key, { body: copy, etag });
    this.history.push({ key, body: copy.toString('utf8') });
    return { etag };
  }
}

/** How long a call takes each way, and how long a client waits for a silent server. Milliseconds. */
const WAY_MS = 20;
const SLOW_MS = 4_000;
const CLIENT_MS = 60_000;

/** The lake as one machine reaches it; `nextFault` says what goes wrong with its next call. */
export function reached(store: VirtualStore, machine: Machine, nextFault: () => CallFault): Lake {
  const { time } = machine;
  const unavailable = () => new LakeError('unavailable', 'the network failed', '');
  async function call<T>(work: () => T, writes: boolean): Promise<T> {
    await machine.running();
    const fault = nextFault();
    const way = fault === 'slow' ? SLOW_MS : WAY_MS;
    try {
      await time.sleep(way);
      if (fault === 'refused') throw unavailable();
      if (fault === 'conflict' && writes) throw new LakeError('precondition', 'ConditionalRequestConflict', '');
      if (fault === 'late') {
        // It arrives when its sender has long stopped waiting.
        if (writes) void time.sleep(SLOW_MS).then(() => void attempt(work));
        throw unavailable();
      }
      const answer = attempt(work);
      if (fault === 'silence') await time.sleep(CLIENT_MS);
      await time.sleep(way);
      if (fault === 'lost_answer' || fault === 'silence') throw unavailable();
      if ('error' in answer) throw answer.error;
      return answer.value;
    } finally {
      await machine.running();
    }
  }
  const port: Pick<Lake, 'get' | 'list' | 'putIfAbsent' | 'putIfMatch' | 'urlOf'> = {
    urlOf: (key) => `s3://virtual/${key}`,
    async *list(prefix) {
      const found = () => [...store.objects].filter(([key]) => key.startsWith(prefix)).sort();
      for (const [key, { body, etag }] of await call(found, false))
        yield { key, etag, bytes: body.length, modified: new Date(0) };
    },
    get: (key) => call(() => store.objects.get(key) ?? null, false),
    putIfAbsent: (key, body) => call(() => store.write(key, body, null), true),
    putIfMatch: (key, body, etag) => call(() => store.write(key, body, etag), true),
  };
  return port as Lake;
}

function attempt<T>(work: () => T): { value: T } | { error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}
