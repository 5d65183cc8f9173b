import { type SourceDescription, sourceDescriptionSchema } from '@ingesta/kit';
import type Docker from 'dockerode';
import { ApiError } from '../errors';
import { Turnstile } from '../turnstile';
import { launchContainer } from './docker-container';
import { hardened } from './docker-convert';
import { answered, engineError, statusOf } from './docker-errors';
import type { LaunchableSource, Outcome } from './runner';

/** An image that describes itself wrongly is asked again after this time: lists must not launch it each time. */
const ASK_AGAIN_MS = 60_000;
/** From its turn on: on a busy host of one processor, the engine alone takes many seconds to launch anything. */
const DESCRIBE_MS = 60_000;

/** Label that every script image carries: `ingesta.source=<name>`. */
const SOURCE_LABEL = 'ingesta.source';

/** Label of the containers in which images only describe themselves. */
export const DESCRIBE_LABEL = 'ingesta.describe';

/** One image did not say what it is, which tells nothing of the others. */
export class NotDescribed extends ApiError {}

type Engine = Pick<Docker, 'getImage' | 'listImages' | 'createContainer' | 'getContainer'>;

/** The script images of one engine: which there are, and what each says of itself. */
export class DockerImages {
  /** By image id: an image never changes its mind. */
  readonly #described = new Map<string, Promise<SourceDescription>>();
  /** One image at a time: all at once, they would be slow together, and late. */
  readonly #turnstile = new Turnstile(1);
  readonly #closing = new AbortController();

  constructor(
    private readonly docker: Engine,
    private readonly prefix: string,
    private readonly tag: string,
  ) {}

  /** The only way a name becomes an image: fixed prefix and tag around a checked name. */
  reference(name: string): string {
    return `${this.prefix}${name}:${this.tag}`;
  }

  /** Names of the sources whose image is present. */
  async names(): Promise<string[]> {
    try {
      const images = await answered(this.docker.listImages({ filters: { label: [SOURCE_LABEL] } }));
      const tags = new Set(images.flatMap((image) => image.RepoTags ?? []).map(plainTag));
      const names = images.map((image) => image.Labels?.[SOURCE_LABEL]).filter((name) => name !== undefined);
      return [...new Set(names)].filter((name) => tags.has(this.reference(name)));
    } catch (error) {
      throw engineError(error);
    }
  }

  /** The source behind a name, or null when its image is absent. */
  async find(name: string): Promise<LaunchableSource | null> {
    const reference = this.reference(name);
    let id: string;
    try {
      const image = await answered(this.docker.getImage(reference).inspect());
      // An image of ours without the label is no script (the gateway's own has the same prefix).
      if (image.Config?.Labels?.[SOURCE_LABEL] === undefined) return null;
      id = image.Id;
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw engineError(error);
    }
    return {
      name,
      envPrefix: '',
      runner: 'docker',
      reference,
      digest: id,
      description: await this.#describe(reference, id),
    };
  }

  /** Stops asking images. Resolves when no container of that kind is left. */
  async close(): Promise<void> {
    this.#closing.abort(new ApiError('RUNNER_UNAVAILABLE', 'This gateway is shutting down'));
    await Promise.allSettled(this.#described.values());
  }

  #describe(reference: string, id: string): Promise<SourceDescription> {
    const known = this.#described.get(id);
    if (known) return known;
    const asked = this.#turnstile.run(this.#closing.signal, () => this.#ask(reference, id));
    this.#described.set(id, asked);
    asked.catch((error) => {
      const forget = () => this.#described.delete(id);
      if (error instanceof ApiError && error.code === 'SCRIPT_FAILED') setTimeout(forget, ASK_AGAIN_MS).unref();
      else forget();
    });
    return asked;
  }

  async #ask(reference: string, id: string): Promise<SourceDescription> {
    this.#closing.signal.throwIfAborted();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooSlow(reference)), DESCRIBE_MS);
    const signal = AbortSignal.any([this.#closing.signal, late.signal]);
    const options = hardened(id, 128, 1);
    try {
      const outcome = await launchContainer(
        this.docker,
        {
          ...options,
          Cmd: ['--describe'],
          AttachStdout: true,
          AttachStderr: true,
          Labels: { [DESCRIBE_LABEL]: reference },
          HostConfig: { ...options.HostConfig, NetworkMode: 'none' },
        },
        { stdin: null, signal, onEvent: () => undefined },
      );
      return readDescription(reference, outcome, signal);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What an image said of itself. `signal`: where it is aborted, the end was ours. */
function readDescription(reference: string, outcome: Outcome, signal: AbortSignal): SourceDescription {
  const { exitCode, stdout, stdoutProblem } = outcome;
  const parsed = exitCode === 0 ? sourceDescriptionSchema.safeParse(parseJson(stdout)) : null;
  if (parsed?.success) return parsed.data;
  signal.throwIfAborted();
  if (exitCode === null || stdoutProblem === 'cut') {
    throw new ApiError('RUNNER_UNAVAILABLE', `The Docker daemon was lost while ${reference} described itself`);
  }
  const why = parsed
    ? parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
    : `exit ${exitCode}`;
  throw new NotDescribed('SCRIPT_FAILED', `Image ${reference} does not describe itself (${why})`, {
    hint: `docker run --rm ${reference} --describe must print its source.json. Rebuild it with ./build-images.sh`,
  });
}

const tooSlow = (reference: string) =>
  new NotDescribed('RUNNER_UNAVAILABLE', `Image ${reference} did not describe itself within ${DESCRIBE_MS / 1000} s`, {
    hint: `Is the Docker host overloaded? It is asked again next time; docker run --rm ${reference} --describe shows how long it takes.`,
  });

/** Podman writes the registry that Docker leaves out. */
const plainTag = (tag: string): string => tag.replace(/^(localhost|docker\.io\/library)\//, '');

function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}
