import type { ScriptEvent } from '../contract/events';

type Unstamped<E> = E extends unknown ? Omit<E, 'at'> : never;

/** Where a script's events go: stderr. */
export type Report = (event: Unstamped<ScriptEvent>) => void;

/** At most one progress event per table in this time. */
export const PROGRESS_INTERVAL_MS = 1000;

interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
}

/**
 * Writes one JSON event per line, or text for people when `out` is a terminal. `redact` goes over every message, because
 * drivers put what they were given into theirs. Names and figures stay as they are: a password may be `users` or `2025`.
 */
export function reporter(out: Output, redact: (text: string) => string): Report {
  const safe: (event: Unstamped<ScriptEvent>) => Unstamped<ScriptEvent> = (event) =>
    event.event === 'log' ? { ...event, message: redact(event.message) } : event;
  if (!out.isTTY) {
    return (event) => void out.write(`${JSON.stringify({ ...safe(event), at: new Date().toISOString() })}\n`);
  }
  const estimates = new Map<string, number | null>();
  return (event) => {
    const line = describe(safe(event), estimates);
    // A progress line is drawn over by the next one.
    out.write(event.event === 'progress' ? `\r\x1b[K${line}` : `\r\x1b[K${line}\n`);
  };
}

function describe(event: Unstamped<ScriptEvent>, estimates: Map<string, number | null>): string {
  switch (event.event) {
    case 'log':
      return `${event.level.padEnd(5)} ${event.message}`;
    case 'table_started':
      estimates.set(event.table, event.estimated_rows);
      return `start ${event.table}`;
    case 'progress':
      return `      ${event.table} ${bar(event.rows, estimates.get(event.table) ?? null)} ${figures(event)}`;
    case 'table_finished':
      return `done  ${event.table} ${figures(event)}`;
  }
}

const figures = ({ rows, bytes }: { rows: number; bytes: number }) =>
  `${rows.toLocaleString('en-US')} rows, ${(bytes / 1e6).toFixed(1)} MB`;

function bar(rows: number, estimate: number | null): string {
  if (!estimate) return '';
  const filled = Math.min(20, Math.round((rows / estimate) * 20));
  return `[${'#'.repeat(filled)}${'.'.repeat(20 - filled)}]`;
}

/** Replaces every secret by `***`. Very short ones are left: they would shred the text and hide nothing. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const worth = secrets.filter((secret) => secret.length >= 4);
  // Messages quote JSON and URIs, where a secret's quotes, line ends and the like stand escaped.
  const forms = new Set(
    worth.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]),
  );
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}
