import type { ScriptEvent } from '@ingesta/kit';
import { ApiError } from '../errors';
import type { JobSpec, LaunchableSource, Outcome, Runner, SourceListing } from '../runners/runner';
import { givenOutcome, givenSource } from './given';

type Launch = (spec: JobSpec, signal: AbortSignal, onEvent: (event: ScriptEvent) => void) => Promise<Outcome>;

/** The Runner port with one source, `mysql`; each test says what a launch does. Remembers which names it was asked for. */
export class FakeRunner implements Runner {
  readonly name = 'fake';
  readonly asked: string[] = [];
  readonly launched: JobSpec[] = [];
  broken: Error | null = null;

  constructor(public launch: Launch = async () => givenOutcome()) {}

  async list(): Promise<SourceListing[]> {
    if (this.broken) throw this.broken;
    return [
      { name: 'mysql', reference: 'ingesta-mysql:latest', present: true, title: 'MySQL' },
      { name: 'x', reference: 'ingesta-x:latest', present: false, title: 'X', hint: 'Build it: ./build-images.sh x' },
    ];
  }

  async resolve(name: string): Promise<LaunchableSource> {
    this.asked.push(name);
    if (this.broken) throw this.broken;
    if (name === 'x')
      throw new ApiError('IMAGE_NOT_FOUND', 'Image ingesta-x:latest is not on this Docker host', {
        hint: './build-images.sh x',
      });
    if (name !== 'mysql') throw new ApiError('UNKNOWN_SOURCE', 'There is no such source', { hint: 'Known: mysql, x.' });
    return givenSource();
  }

  run(spec: JobSpec, signal: AbortSignal, onEvent: (event: ScriptEvent) => void): Promise<Outcome> {
    this.launched.push(spec);
    return this.launch(spec, signal, onEvent);
  }

  async reap(): Promise<string[]> {
    return [];
  }

  async check(): Promise<void> {
    if (this.broken) throw this.broken;
  }

  async close(): Promise<void> {
    // It starts nothing of its own.
  }
}

/** Ends when the signal says so, as a script that obeys SIGTERM does. */
export const untilStopped: Launch = (_spec, signal) =>
  new Promise((resolve) => {
    const stopped = () => resolve(givenOutcome({ exitCode: 143 }));
    if (signal.aborted) stopped();
    signal.addEventListener('abort', stopped);
  });
