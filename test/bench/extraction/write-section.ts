import { readFile, writeFile } from 'node:fs/promises';

/**
 * Replaces what stands between `<!-- bench:<name> -->` and `<!-- /bench:<name> -->` in the file. Throws where the two
 * marks are not there.
 */
export async function writeSection(file: string, name: string, content: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  await writeFile(file, withSection(text, name, content));
}

/** The text with the section's content replaced. */
export function withSection(text: string, name: string, content: string): string {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start === -1 || end < start) throw new Error(`No section between ${open} and ${close}`);
  return `${text.slice(0, start + open.length)}\n\n${content.trim()}\n\n${text.slice(end)}`;
}
