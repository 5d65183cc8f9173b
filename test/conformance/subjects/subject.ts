import type { Job, SourceDescription } from '@ingesta/kit';
import type { Observation } from '../observation';

/** A launch that hands over a job on stdin, names one that lies in the lake, or lets the environment alone speak. */
export interface Launch {
  /** The script's environment, where it is not `job.env`: a job from the lake has no secrets in it. */
  readonly env?: Readonly<Record<string, string>>;
  readonly description: SourceDescription;
  /** On stdin, and the place of a folder lake; of a run by environment the same, for its lake only. */
  readonly job: Job;
  readonly by: 'stdin' | 'lake' | 'environment';
  readonly args?: readonly string[];
  /** Aborting it sends SIGTERM, and SIGKILL 5 s later. */
  readonly signal?: AbortSignal;
  /** With every whole line of stderr, as it comes. */
  readonly onLine?: (line: string) => void;
}

/**
 * What is being checked: an image or a command. `launch` leaves no process and no container behind, and resolves
 * whatever the script does. It throws only where nothing could be launched.
 */
export interface Subject {
  readonly kind: 'image' | 'command';
  /** The source's name: `database` of the jobs. */
  readonly name: string;
  /** `--describe`, without network, stdin or settings. */
  describe(): Promise<Observation>;
  launch(launch: Launch): Promise<Observation>;
  /** The address under which the script reaches a server of ours, and the one where that server has to listen. */
  readonly route: { readonly host: string; readonly listen: string };
  /** What is wrong with the image's labels; null for a command, which has none. */
  labelProblems(): Promise<string[]> | null;
}
