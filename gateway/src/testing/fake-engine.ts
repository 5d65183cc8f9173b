import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';

type Call = 'list' | 'image' | 'create' | 'attach' | 'start' | 'inspect' | 'stop' | 'remove';

/** The slice of a Docker engine that runners use; a test says how long its calls take and what its scripts do. */
export class FakeEngine {
  /** Milliseconds until a call is answered; `Infinity`: never. */
  readonly takes: Partial<Record<Call, number>> = {};
  readonly asked: Call[] = [];
  readonly containers: FakeContainer[] = [];
  /** What a container does once it is started. */
  script: (container: FakeContainer) => void = () => undefined;

  /** `images`: the names of the sources, each an image `ingesta-<name>:latest`. */
  constructor(private readonly images: readonly string[] = []) {}

  /** As the runners take it. */
  get docker(): Docker {
    return this as unknown as Docker;
  }

  /** The containers that are still there. */
  get left(): FakeContainer[] {
    return this.containers.filter(({ removed }) => !removed);
  }

  async listImages(): Promise<object[]> {
    await this.answer('list');
    return this.images.map((name) => ({ RepoTags: [`ingesta-${name}:latest`], Labels: { 'ingesta.source': name } }));
  }

  getImage(reference: string) {
    const name = this.images.find((known) => reference === `ingesta-${known}:latest`);
    return {
      inspect: async () => {
        await this.answer('image');
        if (name === undefined) throw Object.assign(new Error('no such image'), { statusCode: 404 });
        return { Id: `sha256:${name}`, Config: { Labels: { 'ingesta.source': name } } };
      },
    };
  }

  async info(): Promise<object> {
    return {};
  }

  async createContainer({ Image = '' }: Docker.ContainerCreateOptions): Promise<FakeContainer> {
    await this.answer('create');
    const container = new FakeContainer(this, Image);
    this.containers.push(container);
    return container;
  }

  /** Resolves when the call is to be answered. */
  async answer(call: Call): Promise<void> {
    this.asked.push(call);
    const ms = this.takes[call] ?? 0;
    if (ms === Number.POSITIVE_INFINITY) return new Promise(() => undefined);
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** One container of it. */
export class FakeContainer {
  removed = false;
  readonly state = { Running: false, StartedAt: '', ExitCode: 0, OOMKilled: false };
  readonly #streams: PassThrough[] = [];
  #tell: (exit: { StatusCode: number }) => void = () => undefined;

  constructor(
    private readonly engine: FakeEngine,
    readonly image: string,
  ) {}

  async attach(): Promise<PassThrough> {
    await this.engine.answer('attach');
    const stream = new PassThrough();
    this.#streams.push(stream);
    return stream;
  }

  wait(): Promise<{ StatusCode: number }> {
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  async start(): Promise<void> {
    await this.engine.answer('start');
    Object.assign(this.state, { Running: true, StartedAt: '2025-01-02T15:30:45Z' });
    this.engine.script(this);
  }

  async inspect(): Promise<object> {
    await this.engine.answer('inspect');
    return { State: { ...this.state } };
  }

  async stop(): Promise<void> {
    await this.engine.answer('stop');
    this.exit(143);
  }

  async remove(): Promise<void> {
    await this.engine.answer('remove');
    this.removed = true;
    this.exit(137);
  }

  /** Ends the script, if it runs, with this on its stdout. */
  exit(code: number, stdout = ''): void {
    if (!this.state.Running) return;
    Object.assign(this.state, { Running: false, ExitCode: code });
    const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(Buffer.byteLength(stdout), 4);
    for (const stream of this.#streams) stream.end(Buffer.concat([header, Buffer.from(stdout)]));
    this.#tell({ StatusCode: code });
  }
}
