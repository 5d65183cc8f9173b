import type { ScriptEvent } from '@ingesta/kit';
import type Docker from 'dockerode';
import { ApiError } from '../errors';
import type { ShippedSources } from '../sources/shipped-sources';
import { launchContainer } from './docker-container';
import { toContainer } from './docker-convert';
import { answered, engineError } from './docker-errors';
import { DockerImages, NotDescribed } from './docker-images';
import { mustKeepLimits } from './docker-limits';
import { reapContainers } from './docker-reaper';
import type { JobSpec, LaunchableSource, LeftBehind, Outcome, Runner, SourceListing } from './runner';

/** Runs each job in a container of its source's image, on the engine that `docker` talks to. */
export class DockerRunner implements Runner {
  readonly name = 'docker';
  readonly #images: DockerImages;
  /** An engine stays what it is: asked until it has answered well once. */
  #bounded = false;

  constructor(
    private readonly docker: Pick<
      Docker,
      'ping' | 'info' | 'getImage' | 'listImages' | 'createContainer' | 'getContainer' | 'listContainers'
    >,
    private readonly shipped: ShippedSources,
    images: { prefix: string; tag: string },
  ) {
    this.#images = new DockerImages(docker, images.prefix, images.tag);
  }

  async list(): Promise<SourceListing[]> {
    const present = new Set(await this.#images.names());
    const names = [...new Set([...present, ...this.shipped.names()])].sort();
    return Promise.all(
      names.map(async (name): Promise<SourceListing> => {
        const reference = this.#images.reference(name);
        const absent = (hint: string) => ({
          name,
          reference,
          present: false as const,
          title: this.shipped.title(name),
          hint,
        });
        try {
          const found = present.has(name) ? await this.#images.find(name) : null;
          return found ? { name, reference, present: true, title: found.description.title } : absent(buildHint(name));
        } catch (error) {
          // One image that cannot describe itself must not hide the others.
          if (error instanceof NotDescribed) return absent(error.hint);
          throw error;
        }
      }),
    );
  }

  async resolve(name: string): Promise<LaunchableSource> {
    await this.#limits();
    const source = await this.#images.find(name);
    if (source) return source;
    if (this.shipped.get(name) === null) throw await this.#unknown(name);
    throw new ApiError('IMAGE_NOT_FOUND', `Image ${this.#images.reference(name)} is not on this Docker host`, {
      hint: buildHint(name),
      database: name,
    });
  }

  run(spec: JobSpec, signal: AbortSignal, onEvent: (event: ScriptEvent) => void): Promise<Outcome> {
    return launchContainer(this.docker, toContainer(spec), { stdin: JSON.stringify(spec.job), signal, onEvent });
  }

  reap(deployment: string, isOver: (left: LeftBehind) => Promise<boolean>): Promise<string[]> {
    return reapContainers(this.docker, deployment, isOver);
  }

  async check(): Promise<void> {
    try {
      await answered(this.docker.ping());
      await mustKeepLimits(this.docker);
    } catch (error) {
      throw engineError(error);
    }
  }

  async #limits(): Promise<void> {
    if (!this.#bounded) await mustKeepLimits(this.docker);
    this.#bounded = true;
  }

  close(): Promise<void> {
    return this.#images.close();
  }

  async #unknown(name: string): Promise<ApiError> {
    const known = [...new Set([...(await this.#images.names()), ...this.shipped.names()])].sort();
    return new ApiError('UNKNOWN_SOURCE', `There is no source "${name}"`, { hint: `Known: ${known.join(', ')}.` });
  }
}

const buildHint = (name: string) => `Build it: ./build-images.sh ${name}`;
