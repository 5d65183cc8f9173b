import { setTimeout as sleep } from 'node:timers/promises';
import type { Pace } from './pace';
import type { TokenRange } from './token-ranges';

/** Where a page ended: the driver's state, which the next page starts from. */
export type PageState = string;

/** One page of a range. */
export interface Page {
  rows: number;
  /** Undefined at the end of the range. */
  next: PageState | undefined;
}

/** How to read a range. */
export interface RangeReading<P extends Page> {
  pace: Pace;
  fetch(range: TokenRange, state: PageState | undefined, rows: number): Promise<P>;
  /** Takes over the rows of a page, all of them; gives the last one's token and their size. Resolves when there is room for more. */
  take(page: P): Promise<{ token: bigint | null; bytes: number }>;
  /** What a failure of `fetch` says: `slow` is worth another try with less. */
  judge(error: unknown): 'slow' | 'final';
  /** True when nobody wants the rest. */
  stopped(): boolean;
}

/** A part of the range that is still to be read. */
interface Piece {
  range: TokenRange;
  /** The page after whose rows to go on, and the token of its last row. */
  from?: { state: PageState; token: bigint };
}

/** How often a read that took too long is repeated with half the rows before its range is cut in two. */
const HALVINGS = 2;

/** Reads every row of `range` once: in pages, with smaller pages and then smaller ranges where the server takes too long. */
export async function readRange<P extends Page>(range: TokenRange, reading: RangeReading<P>): Promise<void> {
  const todo: Piece[] = [{ range }];
  for (let piece = todo.pop(); piece; piece = todo.pop()) {
    const rest = await readPiece(piece, reading);
    todo.push(...rest.reverse());
  }
}

/** Reads the piece to its end, or gives the pieces that remain of it. */
async function readPiece<P extends Page>(piece: Piece, reading: RangeReading<P>): Promise<Piece[]> {
  const { pace } = reading;
  let { from } = piece;
  let state = from?.state;
  let tries = 0;
  for (;;) {
    if (reading.stopped()) return [];
    let page: P;
    const asked = pace.rows;
    try {
      page = await reading.fetch(piece.range, state, asked);
    } catch (error) {
      if (reading.judge(error) === 'final' || reading.stopped()) throw error;
      const pause = pace.failed();
      if (pause === null) throw error;
      await sleep(pause);
      const halves = tries++ < HALVINGS && pace.rows > 1 ? null : cut({ range: piece.range, from });
      if (halves) return halves;
      // What a refused page taught may leave one row, which was never asked for.
      if (asked === 1 && tries > HALVINGS) throw error;
      pace.halve();
      continue;
    }
    tries = 0;
    const { token, bytes } = await reading.take(page);
    pace.arrived(page.rows, bytes);
    if (!page.next) return [];
    state = page.next;
    if (token !== null) from = { state, token };
  }
}

/**
 * Two pieces of the same rows, or null where there is nothing to cut. The page state belongs to a query with the same
 * start; it stands for "after this row", so it is good for a range that ends earlier, as long as that end is not before
 * the row: the first piece goes on after it and finishes its partition, and the second starts afresh.
 */
function cut({ range, from }: Piece): Piece[] | null {
  const done = from?.token ?? range.after;
  const middle = done + (range.upTo - done) / 2n;
  if (middle >= range.upTo || (!from && middle <= range.after)) return null;
  return [{ range: { after: range.after, upTo: middle }, from }, { range: { after: middle, upTo: range.upTo } }];
}
