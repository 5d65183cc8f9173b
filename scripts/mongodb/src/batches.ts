import { collectGarbage, failed } from '@ingesta/kit';
import { type ClientSession, type Db, type Document, Long } from 'mongodb';
import { atMost } from './connect';
import { isLoss, isPatienceRefused } from './server-error';

/**
 * Bytes of documents to ask for at once. The server sends no more than 16 MiB, or one document. Each doubling takes 3 to
 * 4 MiB more of memory at its peak, and no less time.
 */
const BATCH_BYTES = 256 * 1024;
/** While more than this is being written, the next answer must wait: it could be as large. */
const LARGE_BYTES = 4 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);
const FIRST_BATCH = 500;
const MAX_BATCH = 20_000;
/** Time for the server to hear that a cursor is no longer wanted. */
const KILL_MS = 1_000;

/** Documents of one answer, as BSON bytes; valid until the next is asked for. */
export interface Batch {
  bytes: Buffer;
  /** Where the elements of the array of documents start and end. */
  start: number;
  end: number;
}

/**
 * The raw answers of a command that opens a cursor. While one is being written the next is on its way, and no more: a
 * slow reader holds the server back. However it ends, the cursor is gone afterwards.
 */
export async function* readBatches(
  db: Db,
  session: ClientSession,
  collection: string,
  command: Document,
  signal: AbortSignal,
): AsyncGenerator<Batch, void, void> {
  const ask = async (next: Document) => parseAnswer(await db.command(next, { session, raw: true, signal }));
  let id = 0n;
  let lost = false;
  const kill = () => {
    if (id === 0n || lost) return Promise.resolve();
    const cursors = [Long.fromBigInt(id)];
    id = 0n;
    return atMost(KILL_MS, db.command({ killCursors: collection, cursors }, { session }));
  };
  // Whoever waits for the lake between two batches hears of an abort, too.
  const abort = () => void kill();
  signal.addEventListener('abort', abort, { once: true });
  try {
    let documents = 0;
    let bytes = 0;
    const { noCursorTimeout: _, ...impatient } = command;
    let answer = await ask({ ...command, ...firstBatch(command) }).catch((error) => {
      if (!isPatienceRefused(error)) throw error;
      return ask({ ...impatient, ...firstBatch(command) });
    });
    for (;;) {
      id = answer.id;
      bytes += answer.end - answer.start;
      documents += countDocuments(answer);
      const batchSize = Math.min(MAX_BATCH, Math.max(1, Math.floor((BATCH_BYTES * documents) / Math.max(1, bytes))));
      const getMore = { getMore: Long.fromBigInt(id), collection, batchSize };
      const isLarge = answer.end - answer.start > LARGE_BYTES;
      const ahead = id !== 0n && !isLarge ? ask(getMore) : null;
      // It may fail while nobody waits for it.
      ahead?.catch(() => undefined);
      // What it was put together of must be gone before anything is made of it, and that before the next one comes.
      if (isLarge) await collected();
      yield answer;
      answer.bytes = NOTHING;
      if (isLarge) await collected();
      if (id === 0n) return;
      signal.throwIfAborted();
      answer = await (ahead ?? ask(getMore));
    }
  } catch (error) {
    lost = isLoss(error) && !signal.aborted;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    await kill();
  }
}

/** Frees what nobody holds: in a turn of its own, since whoever calls may hold something still. */
async function collected(): Promise<void> {
  await null;
  collectGarbage();
}

const firstBatch = (command: Document): Document =>
  'find' in command ? { batchSize: FIRST_BATCH } : { cursor: { batchSize: FIRST_BATCH } };

/** `cursor: { firstBatch | nextBatch: [...], id, ns }`, of which only the frame is looked at. */
function parseAnswer(answer: Document): Batch & { id: bigint } {
  const raw = answer.cursor as Uint8Array | undefined;
  if (!(raw instanceof Uint8Array)) throw notAnAnswer();
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  let id: bigint | null = null;
  let [start, end] = [-1, -1];
  let at = 4;
  while (bytes[at] !== 0) {
    const type = bytes[at]!;
    const nameEnd = bytes.indexOf(0, at + 1);
    const name = bytes.toString('latin1', at + 1, nameEnd);
    const value = nameEnd + 1;
    if (type === 0x12) {
      if (name === 'id') id = bytes.readBigInt64LE(value);
      at = value + 8;
    } else if (type === 0x03 || type === 0x04) {
      at = value + bytes.readInt32LE(value);
      if (name === 'firstBatch' || name === 'nextBatch') [start, end] = [value + 4, at - 1];
    } else if (type === 0x02) at = value + 4 + bytes.readInt32LE(value);
    else if (type === 0x11) at = value + 8;
    else if (type === 0x08) at = value + 1;
    else throw notAnAnswer();
  }
  if (id === null || start === -1) throw notAnAnswer();
  return { bytes, start, end, id };
}

/** Calls `document` with the place of each document. */
export function eachDocument({ bytes, start, end }: Batch, document: (start: number, end: number) => void): void {
  let at = start;
  while (at < end) {
    // Type byte, the index as text, its final zero.
    at++;
    while (bytes[at] !== 0) at++;
    at++;
    const size = bytes.readInt32LE(at);
    if (size < 5 || at + size > end) throw notAnAnswer();
    document(at, at + size);
    at += size;
  }
}

function countDocuments(batch: Batch): number {
  let count = 0;
  eachDocument(batch, () => count++);
  return count;
}

const notAnAnswer = () =>
  failed('The server sent something that is no batch of documents', 'Is something between us and the server?');
