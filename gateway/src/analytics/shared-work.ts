/** One piece of work that any number of callers wait for. */
interface Shared<T> {
  done: Promise<T>;
  waiting: number;
  abort: AbortController;
}

/**
 * Does the same work once for all who ask for it at the same time. A caller who leaves does not disturb the others; the
 * last one who leaves ends the work.
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Shared<T>>();

  /** `leave`: the caller's own. Throws its reason when it is aborted, else what the work throws. */
  async run(key: string, leave: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    leave.throwIfAborted();
    const shared = this.#running.get(key) ?? this.#start(key, work);
    shared.waiting += 1;
    let onLeave = () => {};
    const left = new Promise<never>((_, reject) => {
      onLeave = () => reject(leave.reason);
      leave.addEventListener('abort', onLeave, { once: true });
    });
    try {
      return await Promise.race([shared.done, left]);
    } finally {
      leave.removeEventListener('abort', onLeave);
      shared.waiting -= 1;
      if (shared.waiting === 0) {
        // Whoever comes now must not join what is being ended.
        if (this.#running.get(key) === shared) this.#running.delete(key);
        shared.abort.abort(new Error('Nobody waits for it any more'));
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const abort = new AbortController();
    const shared: Shared<T> = { done: work(abort.signal), waiting: 0, abort };
    this.#running.set(key, shared);
    const forget = () => {
      if (this.#running.get(key) === shared) this.#running.delete(key);
    };
    // Handled here as well: the last caller may have left before it fails.
    shared.done.then(forget, forget);
    return shared;
  }
}
