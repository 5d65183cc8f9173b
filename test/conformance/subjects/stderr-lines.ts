/** More than this of one launch is not kept. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** stderr as text, and line by line as it comes. */
export class StderrLines {
  readonly #decoder = new TextDecoder();
  #text = '';
  #lineFrom = 0;

  constructor(private readonly onLine: (line: string) => void = () => undefined) {}

  write(chunk: Uint8Array): void {
    if (this.#text.length > MAX_CHARACTERS) return;
    this.#text += this.#decoder.decode(chunk, { stream: true });
    for (
      let end = this.#text.indexOf('\n', this.#lineFrom);
      end !== -1;
      end = this.#text.indexOf('\n', this.#lineFrom)
    ) {
      this.onLine(this.#text.slice(this.#lineFrom, end));
      this.#lineFrom = end + 1;
    }
  }

  get text(): string {
    return this.#text;
  }
}
