import type { CsvWriter } from '@ingesta/kit';
import { lineProblem } from './file-problem';
import type { RecordSink } from './record-reader';

/** Which fields go, and what NULL looks like. */
export interface RowPlan {
  /** One per column of the file: whether it leaves. */
  taken: readonly boolean[];
  hasHeader: boolean;
  nullText: string;
}

/**
 * Writes a file's records as rows. Every record must have as many fields as the header; only lines at the end may be
 * blank. In a file of one column a blank line is a row: its one field is empty.
 */
export class CsvRows implements RecordSink {
  readonly #nullText: Buffer;
  readonly #columns: number;
  #index = 0;
  #inHeader: boolean;
  /** A first field that is empty: the row, unless the line is blank. */
  #held = false;
  /** The first of the blank lines above, or 0. */
  #blankLine = 0;

  constructor(
    readonly writer: CsvWriter,
    readonly plan: RowPlan,
  ) {
    this.#columns = plan.taken.length;
    this.#inHeader = plan.hasHeader;
    this.#nullText = Buffer.from(plan.nullText);
  }

  field(bytes: Uint8Array, start: number, end: number, quoted: boolean): void {
    const index = this.#index++;
    if (this.#inHeader || index >= this.#columns) return;
    if (index === 0 && start === end && !quoted && this.#columns > 1) {
      this.#held = true;
      return;
    }
    if (this.#held) {
      this.#held = false;
      this.#write(0, bytes, start, start, false);
    }
    this.#write(index, bytes, start, end, quoted);
  }

  endRecord(line: number): void {
    const fields = this.#index;
    this.#index = 0;
    if (this.#inHeader) {
      this.#inHeader = false;
      return;
    }
    if (this.#held && fields === 1) {
      this.#held = false;
      this.#blankLine ||= line;
      return;
    }
    if (this.#blankLine > 0) {
      throw lineProblem(this.#blankLine, 'it is blank, and rows follow', 'Only lines at the end may be blank.');
    }
    if (fields !== this.#columns) {
      const hint = 'Correct the line. If most lines are so, set FILES_DELIMITER.';
      throw lineProblem(line, `it has ${fields} fields where the first line has ${this.#columns}`, hint);
    }
    this.writer.endRow();
  }

  #write(index: number, bytes: Uint8Array, start: number, end: number, quoted: boolean): void {
    if (!this.plan.taken[index]) return;
    if (!quoted && this.#isNull(bytes, start, end)) this.writer.null();
    else this.writer.text(bytes, start, end);
  }

  #isNull(bytes: Uint8Array, start: number, end: number): boolean {
    const text = this.#nullText;
    if (end - start !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
    return true;
  }
}
