/** Characters of CSV and JSON, as bytes. */
export const COMMA: u8 = 0x2c;
export const QUOTE: u8 = 0x22;
export const LF: u8 = 0x0a;
export const CR: u8 = 0x0d;
/** `""`, the empty text in a CSV. */
export const EMPTY: u16 = 0x2222;
export const DASH: u8 = 0x2d;
export const COLON: u8 = 0x3a;
