import { catalogName, shortHash } from '../analytics/engines/distributed/catalog-name';

/** The catalog's name of each table of a database: `mysql_users`. Those that would meet get a hash of their own name. */
export function catalogNames(database: string, tables: readonly string[]): Map<string, string> {
  const plain = tables.map((table) => catalogName(`${database}_${table}`));
  return new Map(
    tables.map((table, index) => {
      const name = plain[index]!;
      const alone = plain.indexOf(name) === plain.lastIndexOf(name);
      return [table, alone ? name : `${name}_${shortHash(table)}`];
    }),
  );
}
