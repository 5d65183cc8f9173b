import type { Column } from '@ingesta/kit';

/** An identifier in backticks. */
export const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** The one query that reads: these columns by name (which also brings invisible ones), and no other. */
export const selectFrom = (from: string, columns: readonly Column[]): string =>
  `SELECT ${columns.map(selectColumn).join(', ')} FROM ${from}`;

/** A column as the server has to print it so that nothing is lost. */
function selectColumn({ name, source_type }: Column): string {
  const column = quoteName(name);
  // FLOAT prints six digits and FLOAT(M,D) or ZEROFILL their own width; a DOUBLE prints the shortest exact text.
  if (/^(float|double)\b/i.test(source_type)) return `${column} * 1e0`;
  // Bits come as raw bytes, ZEROFILL (always unsigned) with zeros in front.
  if (/^bit\b/i.test(source_type) || /int\b.*\bzerofill/i.test(source_type)) return `CAST(${column} AS UNSIGNED)`;
  return column;
}
