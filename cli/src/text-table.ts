/** Names come from databases: what could move the cursor or change colours is shown as an escape instead. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);

export interface Column {
  title: string;
  align?: 'right';
}

/** Lines of aligned columns under their titles. */
export function textTable(columns: readonly Column[], lines: readonly (readonly string[])[]): string[] {
  const cells = [columns.map(({ title }) => title), ...lines].map((line) => line.map(printable));
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells.map((line) =>
    line
      .map((cell, i) => (columns[i]?.align === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
