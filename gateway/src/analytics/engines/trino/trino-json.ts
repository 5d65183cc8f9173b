/** Text as it is, and numbers of so many digits that a double may lose some. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;
const LONG = /\d{16}/;

/** JSON as Trino writes it, with integers of 16 and more digits as text: JavaScript's numbers end at 2^53. */
export function parseTrinoJson(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  return JSON.parse(text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `"${token}"`)));
}
