import { readFile } from 'node:fs/promises';
import { configError } from '../errors';

/**
 * A certificate authority as PEM. `ca` is the value of `variable`: the PEM text itself, which comments may precede, or the
 * path of a file with it. Throws `configError`.
 */
export async function readCa(variable: string, ca: string): Promise<string> {
  if (ca.includes('-----BEGIN ')) return ca;
  try {
    return await readFile(ca, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Some other file's content, by way of `<variable>_FILE`, is nothing to repeat.
    const problem = /[\0\r\n]/.test(ca) ? 'neither PEM text nor a path' : `cannot read ${ca} (${code})`;
    const hint = `A container sees no file of its host: give the PEM text, or the path in ${variable}_FILE instead.`;
    throw configError(`${variable}: ${problem}`, hint);
  }
}
