import type { Gateway } from './gateway';
import type { Time } from './patience';
import type { ProgressView } from './progress/progress-view';

/** What a command works with. */
export interface Context {
  gateway: Gateway;
  options: Options;
  /** One line of the result, on stdout. */
  out: (line: string) => void;
  /** One line for people, on stderr. */
  say: (line: string) => void;
  view: ProgressView;
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal;
  time: Time;
  now: () => Date;
}

/** The options of all commands, parsed; which of them a command takes, `options.ts` says. */
export interface Options {
  json: boolean;
  all: boolean;
  follow: boolean;
  detach: boolean;
  attach: boolean;
  dryRun: boolean;
  tables: string[] | null;
  format: 'csv' | 'csv.gz';
  slot: string | null;
  idempotencyKey: string | null;
  parallel: number;
  retryForMs: number;
  timeoutMs: number | null;
  /** What a new key may do. */
  grants: string[];
  db: string | null;
  state: string | null;
  limit: number;
}
