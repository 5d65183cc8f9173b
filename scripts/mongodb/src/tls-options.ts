import { readCa } from '@ingesta/kit';
import type { MongoClientOptions } from 'mongodb';
import type { Settings } from './settings';

/** What the driver is told of TLS. Throws `configError` where the authority cannot be read. */
export async function tlsOptions({ sslMode, sslCa }: Pick<Settings, 'sslMode' | 'sslCa'>): Promise<MongoClientOptions> {
  if (sslMode === 'require') return { tls: true, tlsAllowInvalidCertificates: true };
  // An authority without a mode is for the TLS of MONGO_URI.
  const ca = sslCa ? { ca: await readCa('MONGO_SSL_CA', sslCa) } : {};
  if (sslMode === 'disable') return ca;
  return { tls: true, ...ca, ...(sslMode === 'verify-ca' && { tlsAllowInvalidHostnames: true }) };
}
