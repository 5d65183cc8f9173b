import { failed } from '@ingesta/kit';

/** Type byte and a length that counts itself but not the type. */
const HEADER = 5;
/** The server cannot build a longer message. */
const MAX_FRAME = 2 ** 30;
const DATA_ROW = 0x44;

/** Where the messages of one query go. */
export interface FrameTarget {
  /** The payload of a DataRow; the bytes are valid during the call only. */
  row(bytes: Buffer, start: number, end: number): void;
  /** Many DataRows at once: takes as many as it likes of those at the start of `bytes[start, end)`; how many bytes that was. */
  many(bytes: Buffer, start: number, end: number): number;
  /** Any other message, whole. */
  other(frame: Buffer): void;
}

/**
 * Cuts the server's byte stream into messages. A message that straddles chunks is collected in a buffer of its exact
 * size, so that a value of hundreds of megabytes is copied once.
 */
export class MessageFrames {
  /** The start of an unfinished message: first only its header, then room for all of it. */
  #partial: Buffer | null = null;
  #filled = 0;

  constructor(readonly target: FrameTarget) {}

  push(chunk: Buffer): void {
    let offset = this.#partial ? this.#fill(chunk) : 0;
    for (;;) {
      if (chunk[offset] === DATA_ROW) offset += this.target.many(chunk, offset, chunk.length);
      if (offset + HEADER > chunk.length) break;
      const end = offset + frameLength(chunk, offset);
      if (end > chunk.length) break;
      this.#deliver(chunk, offset, end);
      offset = end;
    }
    if (offset < chunk.length) this.#keep(chunk, offset);
  }

  #deliver(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === DATA_ROW) this.target.row(bytes, start + HEADER, end);
    else this.target.other(bytes.subarray(start, end));
  }

  #keep(chunk: Buffer, offset: number): void {
    const isHeaderWhole = offset + HEADER <= chunk.length;
    this.#partial = Buffer.allocUnsafe(isHeaderWhole ? frameLength(chunk, offset) : HEADER);
    this.#filled = chunk.copy(this.#partial, 0, offset);
  }

  /** Completes the unfinished message as far as the chunk reaches; returns how much of the chunk that took. */
  #fill(chunk: Buffer): number {
    let taken = this.#copy(chunk, 0);
    const header = this.#partial!;
    if (header.length === HEADER && this.#filled === HEADER) {
      this.#partial = Buffer.allocUnsafe(frameLength(header, 0));
      header.copy(this.#partial);
      taken += this.#copy(chunk, taken);
    }
    const frame = this.#partial!;
    if (this.#filled === frame.length) {
      this.#partial = null;
      this.#deliver(frame, 0, frame.length);
    }
    return taken;
  }

  #copy(chunk: Buffer, offset: number): number {
    const copied = chunk.copy(this.#partial!, this.#filled, offset);
    this.#filled += copied;
    return copied;
  }
}

function frameLength(bytes: Buffer, offset: number): number {
  const length = bytes.readUInt32BE(offset + 1);
  if (length < 4 || length > MAX_FRAME) {
    throw failed(
      'The server sent something that is not a PostgreSQL message',
      'Is something between us and the server?',
    );
  }
  return length + 1;
}
