import type { ScriptEvent } from '@ingesta/kit';
import { ApiError } from '../errors';
import { NotDescribed } from './docker-images';
import type { JobSpec, LaunchableSource, LeftBehind, Outcome, Runner, SourceListing } from './runner';

/**
 * Docker where the engine answers and the source's image exists, the process runner otherwise. Decided per source and
 * per launch, so that an image built later is taken without a restart. Once the engine was there, its silence is a failure:
 * a slow one must not turn containers into processes, which nothing confines.
 */
export class AutoRunner implements Runner {
  readonly name = 'auto';
  /** Whether the engine has been fit to launch containers. */
  #fit = false;

  constructor(
    private readonly docker: Runner,
    private readonly process: Runner,
  ) {}

  async list(): Promise<SourceListing[]> {
    const listed = this.docker.list().catch((error) => {
      if (!this.#isAbsent(error)) throw error;
      return [];
    });
    const [images, folders] = await Promise.all([listed, this.process.list()]);
    const byName = new Map(folders.map((listing) => [listing.name, listing]));
    for (const image of images) if (image.present || !byName.get(image.name)?.present) byName.set(image.name, image);
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async resolve(name: string): Promise<LaunchableSource> {
    try {
      return await this.#proving(this.docker.resolve(name));
    } catch (dockerError) {
      if (!this.#isAbsent(dockerError) && !isWithoutImage(dockerError)) throw dockerError;
      try {
        return await this.process.resolve(name);
      } catch (processError) {
        throw bothFailed(dockerError, processError);
      }
    }
  }

  run(spec: JobSpec, signal: AbortSignal, onEvent: (event: ScriptEvent) => void): Promise<Outcome> {
    return (spec.source.runner === 'docker' ? this.docker : this.process).run(spec, signal, onEvent);
  }

  async reap(deployment: string, isOver: (left: LeftBehind) => Promise<boolean>): Promise<string[]> {
    try {
      return await this.docker.reap(deployment, isOver);
    } catch (error) {
      // Without an engine there are no containers.
      if (this.#isAbsent(error)) return [];
      throw error;
    }
  }

  async check(): Promise<void> {
    try {
      await this.#proving(this.docker.check());
    } catch (dockerError) {
      if (!this.#isAbsent(dockerError)) throw dockerError;
      await this.process.check().catch((processError) => {
        throw bothFailed(dockerError, processError);
      });
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.docker.close(), this.process.close()]);
  }

  /** Notes from what `resolve` and `check` say that the engine is fit; `list` also answers where it keeps no limits. */
  async #proving<T>(asked: Promise<T>): Promise<T> {
    try {
      const answer = await asked;
      this.#fit = true;
      return answer;
    } catch (error) {
      if (isWithoutImage(error) || error instanceof NotDescribed) this.#fit = true;
      throw error;
    }
  }

  /** Whether there is no engine, as far as was ever seen. */
  #isAbsent(error: unknown): boolean {
    return !this.#fit && codeOf(error) === 'RUNNER_UNAVAILABLE';
  }
}

const codeOf = (error: unknown) => (error instanceof ApiError ? error.code : null);
const isWithoutImage = (error: unknown) => ['IMAGE_NOT_FOUND', 'UNKNOWN_SOURCE'].includes(codeOf(error) ?? '');

/** What to tell when neither could: without an engine, why there is none and that processes would do, too. */
function bothFailed(dockerError: unknown, processError: unknown): unknown {
  if (!(dockerError instanceof ApiError && processError instanceof ApiError)) return dockerError;
  if (dockerError.code !== 'RUNNER_UNAVAILABLE') return dockerError;
  if (processError.code === 'UNKNOWN_SOURCE') return processError;
  const { code, message, hint, cause } = dockerError;
  return new ApiError(code, message, { hint: `${hint} Or without Docker: ${processError.hint}`, cause });
}
