/** A name as SQL takes it, whatever it consists of. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * The name people ask for a table by: bare in the default schema, `schema.table` elsewhere. A part that has a dot of
 * its own is quoted, so that no two tables share a name.
 */
export function tableName(schema: string, relation: string, defaultSchema: string): string {
  const part = (name: string) => (name.includes('.') ? quoteIdentifier(name) : name);
  return schema === defaultSchema ? part(relation) : `${part(schema)}.${part(relation)}`;
}
