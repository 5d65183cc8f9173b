import type { RequestHandler, Response } from 'express';

/** The requests under way, so that a gateway which stops can finish them: readers must not notice a restart. */
export class OpenRequests {
  readonly #open = new Set<Response>();
  #ending = false;
  #idle: () => void = () => undefined;

  /** To be called for every request, first. */
  readonly watch: RequestHandler = (_request, response, next) => {
    this.#open.add(response);
    // A balancer that keeps connections must not send the next request down this one.
    if (this.#ending) response.set('Connection', 'close');
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#idle();
    });
    next();
  };

  /**
   * Resolves when the last request has its answer, or after `ms`. Who follows a run (GET of events) is let go at once: the
   * stream has no end, and a client comes back, to another gateway, with its Last-Event-ID.
   */
  async drain(ms: number): Promise<void> {
    this.#ending = true;
    for (const response of this.#open) {
      if (response.req.method === 'GET' && isStream(response)) response.destroy();
      else if (!response.headersSent) response.set('Connection', 'close');
    }
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, ms);
      this.#idle = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}

const isStream = (response: Response): boolean =>
  String(response.getHeader('Content-Type')).startsWith('text/event-stream');
