/** Whether the key of an object at this depth must not leave; its bytes are as they stand, between the quotes. */
declare function isSensitive(column: i32, depth: i32, start: usize, end: usize): bool;

/**
 * Keys of outermost objects that may leave, so that the caller is asked once for each: 16 bytes of what it is, 16 of
 * itself. A slot holds the last one that belongs there.
 */
const SLOTS: i32 = 64;
const SLOT_BYTES: i32 = 32;
const REMEMBERED: usize = memory.data(SLOTS * SLOT_BYTES, 16);
const MAX_KEY: usize = 16;

/** The outermost key that was found here and that the caller does not know of. */
let untoldStart: usize = 0;
let untoldEnd: usize = 0;

/** The columns are other ones. */
export function forgetKeys(): void {
  memory.fill(REMEMBERED, 0, SLOTS * SLOT_BYTES);
}

/** A document begins. */
export function beginKeys(): void {
  untoldStart = 0;
}

/** As `isSensitive`, which has to be told of the keys around a key before it is asked. */
export function mustStay(column: i32, depth: i32, start: usize, end: usize): bool {
  if (depth === 1) {
    untoldStart = 0;
    const length = end - start;
    if (length === 0 || length > MAX_KEY) return isSensitive(column, depth, start, end);
    const slot = slotOf(column, start, end);
    const what = ((<u64>column + 1) << 8) | length;
    const mask = (1 << (<i32>length)) - 1;
    if (load<u64>(slot) === what && (i8x16.bitmask(i8x16.eq(v128.load(start), v128.load(slot + 16))) & mask) === mask) {
      untoldStart = start;
      untoldEnd = end;
      return false;
    }
    if (isSensitive(column, depth, start, end)) return true;
    store<u64>(slot, what);
    v128.store(slot + 16, v128.load(start));
    return false;
  }
  if (untoldStart !== 0) {
    isSensitive(column, 1, untoldStart, untoldEnd);
    untoldStart = 0;
  }
  return isSensitive(column, depth, start, end);
}

function slotOf(column: i32, start: usize, end: usize): usize {
  const mixed = column * 31 + <i32>(end - start) * 7 + <i32>load<u8>(start) * 5 + <i32>load<u8>(end - 1) * 3;
  return REMEMBERED + (mixed & (SLOTS - 1)) * SLOT_BYTES;
}
