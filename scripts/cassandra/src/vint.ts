/** Cassandra's variable-length integer: the leading one bits of the first byte count the bytes that follow. */
export function readVint(bytes: Buffer, at: number): { value: bigint; next: number } {
  const first = bytes.readUInt8(at);
  const extra = Math.clz32(~(first << 24));
  let value = extra >= 7 ? 0n : BigInt(first & (0xff >> extra));
  for (let i = 1; i <= extra; i++) value = (value << 8n) | BigInt(bytes.readUInt8(at + i));
  return { value, next: at + 1 + extra };
}

/** Signed values interleave: 0, -1, 1, -2, … */
export const unzigzag = (value: bigint): bigint => (value & 1n ? -((value + 1n) >> 1n) : value >> 1n);
