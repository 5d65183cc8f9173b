/** Largest buffer that is kept for the next value. */
const KEPT_BYTES = 1024 * 1024;

/** Bytes of one value that come in pieces. */
export class ByteStore {
  bytes = Buffer.allocUnsafeSlow(4096);
  length = 0;

  /** Appends `source[start, end)`. False where that would be more than `limit`. */
  add(source: Uint8Array, start: number, end: number, limit: number): boolean {
    const needed = this.length + end - start;
    if (needed > limit) return false;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(needed, this.bytes.length * 2)));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(source.subarray(start, end), this.length);
    this.length = needed;
    return true;
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(4096);
  }
}
