import { randomUUID } from 'node:crypto';
import { EXIT, type Lake, redactor, type ScriptEvent, timestampOf } from '@ingesta/kit';
import { type Log, secretValues } from '../log';
import type { JobSpec, Outcome, Runner } from '../runners/runner';
import { type Clock, systemClock } from '../runs/clock';
import { eventLog } from './event-log';
import type { RunIdentity } from './job';
import { readResult, type ScriptSuccess } from './read-result';

/** The first pause before another attempt; each further one is twice as long, and a random part of it is waited. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/** What one attempt is called; who launches it, the caller knows. */
export type AttemptIdentity = Omit<RunIdentity, 'gateway' | 'epoch'>;

export interface Attempts {
  runner: Runner;
  /** Compiles the job of one attempt. */
  compile: (run: AttemptIdentity) => Promise<JobSpec>;
  runId: string;
  deadline: Date;
  /** Seconds of each attempt's own timestamp; no two are the same. */
  timestamp: (attempt: number) => Promise<number>;
  /** Told before each launch. */
  onAttempt: (spec: JobSpec) => Promise<void>;
  /** The script's events, without their secrets. */
  onEvent: (event: ScriptEvent) => void;
  /** Where the script's copy of its result is; null for a dry run. */
  lake: Lake | null;
  /** Aborted when the run must end; then its reason is thrown. */
  signal: AbortSignal;
  most: number;
  log: Log;
  clock?: Clock;
}

/** Launches until a script ends for good: only what may be better a moment later gets another attempt. */
export async function launchAttempts(attempts: Attempts): Promise<{ spec: JobSpec; output: ScriptSuccess }> {
  const { runner, signal, log, runId, deadline, clock = systemClock } = attempts;
  for (let attempt = 1; ; attempt += 1) {
    const timestamp = timestampOf(new Date((await attempts.timestamp(attempt)) * 1000));
    const spec = await attempts.compile({ runId, attempt, nonce: randomUUID(), timestamp, deadline });
    await attempts.onAttempt(spec);
    signal.throwIfAborted();
    const redact = redactor(secretsOf(spec));
    const logged = eventLog(log, redact);
    let reading = false;
    const outcome = await runner.run(spec, signal, (event) => {
      reading ||= event.event !== 'log';
      attempts.onEvent(logged(event));
    });
    signal.throwIfAborted();
    const pause = clock.jitter(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)));
    const again = isTemporary(outcome, reading) && attempt < attempts.most;
    if (!again || clock.wall() + pause >= deadline.getTime()) {
      return { spec, output: await readResult(outcome, spec.job, attempts.lake, redact) };
    }
    log.warn('the script failed for the moment; another attempt follows', {
      attempt,
      exit_code: outcome.exitCode,
      pause_ms: Math.round(pause),
    });
    await clock.sleep(pause, signal);
    signal.throwIfAborted();
  }
}

/** A script that asks for another attempt, or a database that could not be reached before anything was read. */
const isTemporary = ({ exitCode }: Outcome, reading: boolean): boolean =>
  exitCode === EXIT.TEMPORARY || (exitCode === EXIT.UNAVAILABLE && !reading);

/** What the script was given that must show nowhere: also what came from files or from the AWS SDK. */
function secretsOf({ source, job }: JobSpec): string[] {
  const named = source.description.env.filter(({ secret }) => secret).map(({ name }) => name);
  // A key in PEM, printed as it is, comes line by line.
  return secretValues(job.env, named).flatMap((secret) => [secret, ...secret.split(/\r?\n/).filter(isTelling)]);
}

const isTelling = (line: string): boolean => line.length >= 16;
