/** BSON's element types. */
export const Bson = {
  DOUBLE: 0x01,
  STRING: 0x02,
  DOCUMENT: 0x03,
  ARRAY: 0x04,
  BINARY: 0x05,
  UNDEFINED: 0x06,
  OBJECT_ID: 0x07,
  BOOL: 0x08,
  DATE: 0x09,
  NULL: 0x0a,
  REGEX: 0x0b,
  DB_POINTER: 0x0c,
  CODE: 0x0d,
  SYMBOL: 0x0e,
  CODE_WITH_SCOPE: 0x0f,
  INT: 0x10,
  TIMESTAMP: 0x11,
  LONG: 0x12,
  DECIMAL: 0x13,
  MAX_KEY: 0x7f,
  MIN_KEY: 0xff,
} as const;

/** Where the value of `type` that starts at `at` ends. Throws on bytes that are no BSON. */
export function valueEnd(bytes: Buffer, type: number, at: number): number {
  switch (type) {
    case Bson.DOUBLE:
    case Bson.DATE:
    case Bson.TIMESTAMP:
    case Bson.LONG:
      return at + 8;
    case Bson.INT:
      return at + 4;
    case Bson.BOOL:
      return at + 1;
    case Bson.OBJECT_ID:
      return at + 12;
    case Bson.DECIMAL:
      return at + 16;
    case Bson.NULL:
    case Bson.UNDEFINED:
    case Bson.MIN_KEY:
    case Bson.MAX_KEY:
      return at;
    case Bson.STRING:
    case Bson.CODE:
    case Bson.SYMBOL:
      return at + 4 + bytes.readInt32LE(at);
    case Bson.BINARY:
      return at + 5 + bytes.readInt32LE(at);
    case Bson.DOCUMENT:
    case Bson.ARRAY:
    case Bson.CODE_WITH_SCOPE:
      return at + bytes.readInt32LE(at);
    case Bson.DB_POINTER:
      return at + 4 + bytes.readInt32LE(at) + 12;
    case Bson.REGEX:
      return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1;
    default:
      throw new Error(`BSON type 0x${type.toString(16)} is not known`);
  }
}
