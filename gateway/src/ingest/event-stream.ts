import type { Response } from 'express';

/** One event of a stream, or a comment that only keeps the line alive. */
export type StreamEvent = { id: string; event: string; data: unknown } | { comment: string };

/** How long a client waits before it comes back to a line that broke, in ms. */
const RETRY_MS = 2_000;

/**
 * Answers with Server-Sent Events. Resolves when `events` ends or the caller has gone; `events` hears of that through
 * `signal`. A caller that reads too slowly is waited for: nothing piles up.
 */
export async function sendEvents(
  response: Response,
  events: (signal: AbortSignal) => AsyncIterable<StreamEvent>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  // Buffering proxies would hold the events back.
  response.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  for await (const event of events(gone.signal)) {
    if (gone.signal.aborted) break;
    if (!response.write(frameOf(event))) await drained(response, gone.signal);
  }
  response.end();
}

function frameOf(event: StreamEvent): string {
  if ('comment' in event) return `: ${event.comment}\n\n`;
  return `id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`;
}

const drained = (response: Response, gone: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (gone.aborted) return resolve();
    response.once('drain', resolve);
    gone.addEventListener('abort', () => resolve(), { once: true });
  });
