/** What is wrong with a CSV. */
export class CsvProblem extends Error {
  override readonly name = 'CsvProblem';
}

const LF = 10;
const QUOTE = 34;
const COMMA = 44;
/** A header is held as a whole; nobody's has more. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

/**
 * Checks a CSV of the contract (LF, comma, `"` doubled, a header of `columns`) as its bytes come by, in constant memory: every
 * record has as many fields as there are columns, and the last one is whole. Throws `CsvProblem`.
 */
export class CsvCheck {
  #state: 'field' | 'plain' | 'quoted' | 'closed' = 'field';
  #fields = 1;
  #records = 0;
  #header: Buffer[] | null = [];
  #headerBytes = 0;

  constructor(private readonly columns: readonly string[]) {}

  update(chunk: Buffer): void {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.#state === 'quoted') {
        at = chunk.indexOf(QUOTE, at);
        if (at === -1) break;
        this.#state = 'closed';
        continue;
      }
      const byte = chunk[at]!;
      if (byte === COMMA) this.#endField();
      else if (byte === LF) {
        if (this.#header) this.#keepHeader(chunk.subarray(from, at));
        this.#endRecord();
        from = at + 1;
      } else if (byte === QUOTE) {
        if (this.#state === 'plain') throw this.#problem('has a quote inside a field without quotes');
        // Behind a closing quote it is the second half of a doubled one.
        this.#state = 'quoted';
      } else if (this.#state === 'closed') throw this.#problem('goes on behind a closing quote');
      else this.#state = 'plain';
    }
    if (this.#header) this.#keepHeader(chunk.subarray(from));
  }

  /** Rows, the header not counted. */
  end(): number {
    if (this.#header) throw new CsvProblem('there is no header line');
    if (this.#state !== 'field' || this.#fields > 1) throw this.#problem('is cut off');
    return this.#records - 1;
  }

  #endField(): void {
    this.#state = 'field';
    this.#fields += 1;
  }

  #endRecord(): void {
    if (this.#fields !== this.columns.length)
      throw this.#problem(`has ${this.#fields} fields, not ${this.columns.length}`);
    if (this.#header) this.#checkHeader(Buffer.concat(this.#header).toString('utf8'));
    this.#state = 'field';
    this.#fields = 1;
    this.#records += 1;
  }

  #keepHeader(piece: Buffer): void {
    this.#headerBytes += piece.length;
    if (this.#headerBytes > MAX_HEADER_BYTES) throw new CsvProblem('its header line does not end');
    this.#header!.push(Buffer.from(piece));
  }

  #checkHeader(line: string): void {
    this.#header = null;
    const names = [...`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain,
    );
    const wrong = this.columns.findIndex((name, i) => names[i] !== name);
    if (wrong !== -1)
      throw new CsvProblem(`column ${wrong + 1} is called ${JSON.stringify(names[wrong])} in its header`);
  }

  #problem(what: string): CsvProblem {
    return new CsvProblem(this.#records === 0 ? `its header ${what}` : `its row ${this.#records} ${what}`);
  }
}
