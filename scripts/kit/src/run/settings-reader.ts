import { configError } from '../errors';
import type { SourceEnv } from '../source';

/** How a connection is encrypted: not at all, without a look at the certificate, with its authority, with its name too. */
export const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** The most milliseconds that timers take, in seconds. */
const MOST_SECONDS = Math.floor((2 ** 31 - 1) / 1000);
const MAX_PORT = 65_535;

/** Reads a source's variables and collects what is wrong with them, so that one error tells everything. */
export class SettingsReader {
  readonly problems: string[] = [];

  constructor(readonly env: SourceEnv) {}

  /** A variable that must be set. */
  required(name: string): string {
    const value = this.optional(name);
    if (value === '') this.problems.push(`${name} is not set`);
    return value;
  }

  /** '' where it is not set. */
  optional(name: string): string {
    return this.env[name] ?? '';
  }

  port(name: string, fallback: string): number {
    return this.number(name, this.env[name] || fallback, 1, MAX_PORT);
  }

  /** Gives milliseconds. */
  seconds(name: string, fallback: string, atLeast = 1): number {
    return this.number(name, this.env[name] || fallback, atLeast, MOST_SECONDS) * 1000;
  }

  /** The whole number that `text` is; `what` names it where it is none. */
  number(what: string, text: string, atLeast: number, atMost: number): number {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < atLeast || value > atMost) {
      this.problems.push(`${what} is no number from ${atLeast} to ${atMost}`);
    }
    return value;
  }

  oneOf<T extends string>(name: string, fallback: T, known: readonly T[]): T {
    return this.choice(name, this.env[name] || fallback, known);
  }

  /** `text`, if it is one of those that are known; `what` names it where it is not. */
  choice<T extends string>(what: string, text: string, known: readonly T[]): T {
    if (!known.includes(text as T)) this.problems.push(`${what} is none of ${known.join(', ')}`);
    return text as T;
  }

  /** Throws one `configError` with every problem, without any value. */
  finish(): void {
    if (this.problems.length > 0) throw configError(this.problems.join('; '), 'Correct the named variables.');
  }
}
