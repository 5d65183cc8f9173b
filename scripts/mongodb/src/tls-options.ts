import { readFile } from 'node:fs/promises';
import { configError } from '@ingesta/kit';
import type { MongoClientOptions } from 'mongodb';
import type { Settings } from './settings';

/** What the driver is told of TLS. Throws `configError` where the authority cannot be read. */
export async function tlsOptions({ sslMode, sslCa }: Pick<Settings, 'sslMode' | 'sslCa'>): Promise<MongoClientOptions> {
  if (sslMode === 'require') return { tls: true, tlsAllowInvalidCertificates: true };
  // An authority without a mode is for the TLS of MONGO_URI.
  const ca = sslCa ? { ca: await readCa(sslCa) } : {};
  if (sslMode === 'disable') return ca;
  return { tls: true, ...ca, ...(sslMode === 'verify-ca' && { tlsAllowInvalidHostnames: true }) };
}

/** The PEM text itself, which comments may precede, or the path of a file with it. */
async function readCa(ca: string): Promise<string> {
  if (ca.includes('-----BEGIN ')) return ca;
  try {
    return await readFile(ca, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Some other file's content, by way of MONGO_SSL_CA_FILE, is nothing to repeat.
    const problem = /[\0\r\n]/.test(ca) ? 'neither PEM text nor a path' : `cannot read ${ca} (${code})`;
    const hint = 'A container sees no file of its host: give the PEM text, or the path in MONGO_SSL_CA_FILE instead.';
    throw configError(`MONGO_SSL_CA: ${problem}`, hint);
  }
}
