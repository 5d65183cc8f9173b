/** Records of an RFC 4180 text; an empty field without quotes is null. Throws on a text that ends inside a record. */
export function parseCsv(text: string): (string | null)[][] {
  const records: (string | null)[][] = [];
  let record: (string | null)[] = [];
  let at = 0;
  while (at < text.length) {
    let field: string | null;
    if (text[at] === '"') {
      const parts: string[] = [];
      for (;;) {
        const close = text.indexOf('"', at + 1);
        if (close === -1) throw new Error('A quoted field is not closed');
        parts.push(text.slice(at + 1, close));
        at = close + 1;
        if (text[at] !== '"') break;
      }
      field = parts.join('"');
    } else {
      const from = at;
      while (at < text.length && text[at] !== ',' && text[at] !== '\n') at++;
      field = from === at ? null : text.slice(from, at);
    }
    record.push(field);
    const separator = text[at++];
    if (separator === ',') {
      if (text[at] === '\n') {
        record.push(null);
        at++;
      } else continue;
    } else if (separator !== '\n') throw new Error('A record does not end in a line feed');
    records.push(record);
    record = [];
  }
  return records;
}
