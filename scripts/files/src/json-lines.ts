import { type Column, type CsvWriter, filterJson, JsonSyntaxError, type TableSelection } from '@ingesta/kit';
import { FileProblem, lineProblem } from './file-problem';
import { scanObject, skipSpace, stringText } from './json-scan';
import { logicalTypeOf, seenIn, sourceTypeOf } from './json-types';

/** Documents may use keys as data: past this many they are no columns. */
const MAX_COLUMNS = 10_000;

/** Columns by key, whatever way the key is written. */
class Keys {
  readonly byName = new Map<string, number>();
  readonly #byToken = new Map<string, number>();
  /** The tokens of the lines before, by their place in the line: most lines repeat them in the same order. */
  readonly #usual: { token: Buffer; index: number }[] = [];
  #place = 0;

  startLine(): void {
    this.#place = 0;
  }

  /** Column of the line's next key, whose token with its quotes is `line[start, end)`. */
  indexOf(line: Uint8Array, start: number, end: number): number {
    const place = this.#place++;
    const usual = this.#usual[place];
    if (usual !== undefined && isToken(usual.token, line, start, end)) return usual.index;
    const token = Buffer.from(line.subarray(start, end));
    const index = this.#lookUp(token);
    if (place < MAX_COLUMNS) this.#usual[place] = { token, index };
    return index;
  }

  #lookUp(token: Buffer): number {
    // One character per byte: nothing is decoded for a key that was met before.
    const text = token.toString('latin1');
    const known = this.#byToken.get(text);
    if (known !== undefined) return known;
    const name = Buffer.from(stringText(token, 0, token.length)).toString('utf8');
    let index = this.byName.get(name);
    if (index === undefined) {
      index = this.byName.size;
      this.byName.set(name, index);
      if (index >= MAX_COLUMNS) {
        const hint = 'Its keys look like data. Put them into one object under a key of its own.';
        throw new FileProblem(`more than ${MAX_COLUMNS} different keys`, hint);
      }
    }
    if (this.#byToken.size < MAX_COLUMNS) this.#byToken.set(text, index);
    return index;
  }
}

function isToken(token: Buffer, line: Uint8Array, start: number, end: number): boolean {
  if (token.length !== end - start) return false;
  for (let i = 0; i < token.length; i++) if (token[i] !== line[start + i]) return false;
  return true;
}

/** First pass: which columns there are, of which type, and how many rows. */
export class JsonSurvey {
  readonly #keys = new Keys();
  readonly #seen: number[] = [];
  readonly #lastRow: number[] = [];
  rows = 0;

  line(line: Uint8Array, number: number): void {
    if (isBlank(line)) return;
    this.rows++;
    this.#keys.startLine();
    scan(line, number, (keyStart, keyEnd, start, end) => {
      const index = this.#keys.indexOf(line, keyStart, keyEnd);
      if (this.#lastRow[index] === this.rows) {
        throw lineProblem(number, 'it has one key twice', 'Which of the values counts is not for us to say.');
      }
      this.#lastRow[index] = this.rows;
      this.#seen[index] = (this.#seen[index] ?? 0) | seenIn(line, start, end);
    });
  }

  /** In the order of their first appearance. */
  columns(): Column[] {
    return [...this.#keys.byName.keys()].map((name, i) => ({
      name,
      source_type: sourceTypeOf(this.#seen[i]!),
      logical_type: logicalTypeOf(this.#seen[i]!),
      nullable: true,
    }));
  }
}

/** Second pass: writes each line as a row of the selected columns. */
export class JsonRows {
  readonly #keys = new Keys();
  /** Per key as met in this pass: its place among the selected columns, or -1. */
  readonly #places: number[] = [];
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;

  constructor(
    readonly writer: CsvWriter,
    readonly selection: TableSelection,
  ) {
    this.#starts = new Float64Array(selection.columns.length);
    this.#ends = new Float64Array(selection.columns.length);
  }

  line(line: Uint8Array, number: number): void {
    if (isBlank(line)) return;
    const { columns } = this.selection;
    this.#ends.fill(0);
    this.#keys.startLine();
    scan(line, number, (keyStart, keyEnd, start, end) => {
      const place = this.#placeOf(this.#keys.indexOf(line, keyStart, keyEnd));
      if (place === -1 || line[start] === 0x6e) return;
      this.#starts[place] = start;
      this.#ends[place] = end;
    });
    for (let i = 0; i < columns.length; i++) {
      const end = this.#ends[i]!;
      if (end === 0) this.writer.null();
      else this.#value(columns[i]!, line, this.#starts[i]!, end);
    }
    this.writer.endRow();
  }

  #placeOf(key: number): number {
    let place = this.#places[key];
    if (place === undefined) {
      const name = [...this.#keys.byName.keys()][key];
      place = this.selection.columns.findIndex((column) => column.name === name);
      this.#places[key] = place;
    }
    return place;
  }

  #value({ name, logical_type }: Column, line: Uint8Array, start: number, end: number): void {
    if (logical_type === 'text') {
      const text = stringText(line, start, end);
      this.writer.text(text, 0, text.length);
    } else if (logical_type === 'json') {
      const json = filterJson(line, start, end, name, this.selection.isSensitiveKey);
      this.writer.text(json, 0, json.length);
    } else this.writer.plain(line, start, end);
  }
}

const isBlank = (line: Uint8Array): boolean => skipSpace(line, 0) === line.length;

function scan(line: Uint8Array, number: number, visit: Parameters<typeof scanObject>[1]): void {
  try {
    scanObject(line, visit);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw lineProblem(number, 'it is no JSON object', 'Each line must be one object: {"id":1,"nombre":"Ana"}.');
  }
}
