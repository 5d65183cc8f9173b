import { collectGarbage, collectYoungGarbage } from '../csv/garbage';

/** After so many bytes of one frame the chunks that they came in are freed; nothing is written meanwhile that would do it. */
const CHUNKS_BYTES = 2 * 1024 * 1024;

/** Before a buffer of this size is made, those of the frames before it are freed: V8 would let several of them wait. */
const LARGE_BYTES = 8 * 1024 * 1024;

/** Where the rows of a query go. */
export interface RowTarget {
  /** A row's payload: `bytes[start, end)`, valid during the call only. */
  row(bytes: Buffer, start: number, end: number): void;
  /** Many frames at once: takes as many as it likes of those at the start of `bytes[start, end)`; how many bytes that was. */
  many(bytes: Buffer, start: number, end: number): number;
}

/** How the frames of a wire protocol are cut, and where they go. */
export interface FrameTarget {
  readonly headerBytes: number;
  /** Length of the frame, header included, whose header is at `offset`. Throws on one that no server sends. */
  frameLength(bytes: Buffer, offset: number): number;
  /** Takes as many frames as it likes of those at the start of `bytes[start, end)`; how many bytes that was. */
  many(bytes: Buffer, start: number, end: number): number;
  /** Any other frame, whole: `bytes[start, end)`. */
  frame(bytes: Buffer, start: number, end: number): void;
}

/**
 * Cuts a server's byte stream into frames. A frame that straddles chunks is collected in a buffer of its exact size, so
 * that a value of hundreds of megabytes is copied once.
 */
export class Frames {
  /** The start of an unfinished frame: first only its header, then room for all of it. */
  #partial: Buffer | null = null;
  #filled = 0;
  /** Copied since chunks were freed. */
  #copied = 0;

  constructor(readonly target: FrameTarget) {}

  push(chunk: Buffer): void {
    const { target } = this;
    let offset = this.#partial ? this.#fill(chunk) : 0;
    for (;;) {
      offset += target.many(chunk, offset, chunk.length);
      if (offset + target.headerBytes > chunk.length) break;
      const end = offset + target.frameLength(chunk, offset);
      if (end > chunk.length) break;
      target.frame(chunk, offset, end);
      offset = end;
    }
    if (offset < chunk.length) this.#keep(chunk, offset);
  }

  #keep(chunk: Buffer, offset: number): void {
    const { headerBytes } = this.target;
    const isHeaderWhole = offset + headerBytes <= chunk.length;
    this.#partial = roomFor(isHeaderWhole ? this.target.frameLength(chunk, offset) : headerBytes);
    this.#filled = chunk.copy(this.#partial, 0, offset);
  }

  /** Completes the unfinished frame as far as the chunk reaches; returns how much of the chunk that took. */
  #fill(chunk: Buffer): number {
    const { headerBytes } = this.target;
    let taken = this.#copy(chunk, 0);
    const header = this.#partial!;
    if (header.length === headerBytes && this.#filled === headerBytes) {
      this.#partial = roomFor(this.target.frameLength(header, 0));
      header.copy(this.#partial);
      taken += this.#copy(chunk, taken);
    }
    const frame = this.#partial!;
    if (this.#filled === frame.length) {
      this.#partial = null;
      this.target.frame(frame, 0, frame.length);
    }
    return taken;
  }

  #copy(chunk: Buffer, offset: number): number {
    const copied = chunk.copy(this.#partial!, this.#filled, offset);
    this.#filled += copied;
    this.#copied += copied;
    if (this.#copied > CHUNKS_BYTES) {
      this.#copied = 0;
      collectYoungGarbage();
    }
    return copied;
  }
}

function roomFor(bytes: number): Buffer {
  if (bytes >= LARGE_BYTES) collectGarbage();
  return Buffer.allocUnsafe(bytes);
}
