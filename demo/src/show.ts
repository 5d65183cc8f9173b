import { createReadStream } from 'node:fs';
import { parseStream } from 'fast-csv';

/** One line for the person at the terminal. */
export const say = (text: string): void => void process.stdout.write(`${text}\n`);

export const heading = (text: string): void => say(`\n${process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text}`);

export const showJson = (value: unknown): void => say(JSON.stringify(value, null, 2));

/** The header and the first rows of a CSV, as a CSV reader sees them. */
export async function showCsv(url: URL, rows: number): Promise<void> {
  const parsed = parseStream(createReadStream(url), { maxRows: rows + 1 });
  for await (const row of parsed) {
    const line = (row as string[]).map((field) => JSON.stringify(field).slice(1, -1)).join(' | ');
    say(`  ${line.length > 140 ? `${line.slice(0, 139)}…` : line}`);
  }
}
