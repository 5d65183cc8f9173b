/** What every node brings along: its schema, roles, traces and the virtual tables that show its state. */
const SERVER_KEYSPACES = new Set([
  'system',
  'system_auth',
  'system_distributed',
  'system_schema',
  'system_traces',
  'system_views',
  'system_virtual_schema',
]);

/** True for the server's own keyspaces, which are no data of anybody's and never leave. */
export const isServerKeyspace = (keyspace: string): boolean => SERVER_KEYSPACES.has(keyspace);
