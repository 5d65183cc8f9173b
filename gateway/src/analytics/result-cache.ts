/** Answers by what they were made of; the ones longest unused leave when there are too many bytes. */
export class ResultCache {
  readonly #answers = new Map<string, Buffer>();
  #bytes = 0;

  /** `maxBytes` 0 keeps nothing. */
  constructor(readonly maxBytes: number) {}

  get(key: string): Buffer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    // A Map keeps the order of insertion: the first is the one longest unused.
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    return answer;
  }

  set(key: string, answer: Buffer): void {
    const known = this.#answers.get(key);
    if (known !== undefined) this.#drop(key, known);
    // One answer may not push all others out.
    if (answer.length > this.maxBytes / 2) return;
    this.#answers.set(key, answer);
    this.#bytes += answer.length;
    for (const [oldest, bytes] of this.#answers) {
      if (this.#bytes <= this.maxBytes) return;
      this.#drop(oldest, bytes);
    }
  }

  #drop(key: string, { length }: Buffer): void {
    this.#answers.delete(key);
    this.#bytes -= length;
  }
}
