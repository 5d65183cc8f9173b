import { type Client, errors } from 'cassandra-driver';
import type { FoundTable } from './discover';

/** What a server without permissions answers. */
const INVALID = 0x2200;
const UNAUTHORIZED = 0x2100;

/** As the server prints resources: `<all keyspaces>`, `<keyspace k>`, `<all tables in k>`, `<table k.t>`. */
const RESOURCE = /^<(?:(all keyspaces)|keyspace (\w+)|all tables in (\w+)|table (\w+\.\w+))>$/;

/**
 * Tells what the role may read, by one question for all tables. Where the server does not tell (it knows no
 * permissions, or keeps them elsewhere) everything may be tried.
 */
export async function mayRead(client: Client, role: string): Promise<(table: FoundTable) => boolean> {
  const grants = role === '' ? null : await grantsOf(client, role);
  if (grants === null) return () => true;
  return ({ keyspace, table, base }) =>
    grants.has('*') || grants.has(keyspace) || grants.has(`${keyspace}.${base ?? table}`);
}

/** `*`, keyspaces, and tables as `keyspace.table`; null where the server does not tell. */
async function grantsOf(client: Client, role: string): Promise<Set<string> | null> {
  const quoted = `"${role.replaceAll('"', '""')}"`;
  try {
    const { rows: roles } = await client.execute(`LIST ROLES OF ${quoted}`);
    if (roles.some((row) => row.super === true)) return new Set(['*']);
    // Without any, the answer has no rows to it.
    const { rows = [] } = await client.execute(`LIST ALL PERMISSIONS OF ${quoted}`);
    const matches = rows.filter((row) => row.permission === 'SELECT').map((row) => RESOURCE.exec(row.resource));
    return new Set(matches.flatMap((match) => (match ? [match[1] ? '*' : (match[2] ?? match[3] ?? match[4]!)] : [])));
  } catch (error) {
    const code = error instanceof errors.ResponseError ? error.code : undefined;
    if (code === INVALID || code === UNAUTHORIZED) return null;
    throw error;
  }
}
