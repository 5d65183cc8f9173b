import type { Job } from '@ingesta/kit';

/** All that one launch of a script showed. Plain data: the judges in `judge/` need nothing else. */
export interface Observation {
  /** Null where the end could not be observed. */
  readonly exitCode: number | null;
  /** At most 16 MiB. */
  readonly stdout: Buffer;
  /** What became of stdout: over 16 MiB, lost on the way, or whole. */
  readonly stdoutProblem: 'too_long' | 'cut' | null;
  readonly stderr: string;
  /** It had to be stopped for taking longer than `--timeout`. */
  readonly timedOut: boolean;
  readonly durationMs: number;
  /** What `docker inspect` tells of the container; null for a command. */
  readonly inspected: string | null;
}

/** An observation with the job that led to it. */
export interface JobRun {
  readonly job: Job;
  readonly seen: Observation;
}
