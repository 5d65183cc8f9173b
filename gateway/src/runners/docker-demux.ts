const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Splits the stream of a container without TTY into stdout and stderr (Docker Engine API, "Stream format": one byte
 * stream type, three zero bytes, four bytes big-endian length, payload). Iterative and without collecting payloads:
 * parts of a frame are handed on as they come.
 */
export class DockerDemux {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerUsed = 0;
  #left = 0;

  constructor(
    private readonly onStdout: (chunk: Buffer) => void,
    private readonly onStderr: (chunk: Buffer) => void,
  ) {}

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        const take = Math.min(HEADER_BYTES - this.#headerUsed, chunk.length - at);
        chunk.copy(this.#header, this.#headerUsed, at, at + take);
        this.#headerUsed += take;
        at += take;
        if (this.#headerUsed < HEADER_BYTES) return;
        this.#left = this.#header.readUInt32BE(4);
        if (this.#left === 0) this.#headerUsed = 0;
        continue;
      }
      const take = Math.min(this.#left, chunk.length - at);
      const payload = chunk.subarray(at, at + take);
      if (this.#header[0] === STDERR) this.onStderr(payload);
      else this.onStdout(payload);
      this.#left -= take;
      at += take;
      if (this.#left === 0) this.#headerUsed = 0;
    }
  }

  /** True between frames: a stream that ends elsewhere was cut. */
  get complete(): boolean {
    return this.#headerUsed === 0;
  }
}
