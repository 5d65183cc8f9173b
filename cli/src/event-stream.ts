import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { GatewayError, Unreachable } from './errors';
import { type Gateway, unreachable } from './gateway';

/** The gateway speaks every 15 s at least: after this long the line is dead, whatever TCP thinks. */
const SILENCE_MS = 60_000;

/**
 * The events of a run behind `lastId`, until the gateway ends the stream; null is a mere sign of life, of a run that has
 * nothing to tell just now. Throws `Unreachable` when the line breaks or falls silent, `GatewayError` when it is refused.
 */
export async function* readEvents(
  gateway: Gateway,
  runId: string,
  lastId: string | null,
  signal: AbortSignal,
  silenceMs = SILENCE_MS,
): AsyncGenerator<EventSourceMessage | null> {
  const silence = new AbortController();
  const watch = setTimeout(() => silence.abort(), silenceMs);
  try {
    const response = await gateway.open(`/api/ingesta/runs/${encodeURIComponent(runId)}/events`, {
      headers: { Accept: 'text/event-stream', ...(lastId === null ? {} : { 'Last-Event-ID': lastId }) },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    const arrived: (EventSourceMessage | null)[] = [];
    const parser = createParser({ onEvent: (event) => arrived.push(event), onComment: () => arrived.push(null) });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      watch.refresh();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* arrived.splice(0);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (silence.signal.aborted) throw new Unreachable(`${gateway.url} fell silent`, true, false);
    if (error instanceof GatewayError || error instanceof Unreachable) throw error;
    throw unreachable(error, gateway.url);
  } finally {
    clearTimeout(watch);
  }
}
