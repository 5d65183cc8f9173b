import type { DeclaredTable } from '../engines/engine';
import type { Report } from './pack-error';

const TYPE = /^(?:bigint|double|boolean|varchar|date|timestamp|decimal\(([1-9]\d*),(0|[1-9]\d*)\))$/;

/** The tables that a pack's `schema.sql` declares, by name: plain `CREATE TABLE`s with the types that every engine knows. */
export function parseSchema(text: string, report: Report): Map<string, DeclaredTable> {
  // Same length, so that offsets still tell lines.
  const sql = text.replace(/--[^\n]*/g, (comment) => ' '.repeat(comment.length));
  const lineOf = (offset: number) => sql.slice(0, offset).split('\n').length;
  const tables = new Map<string, DeclaredTable>();
  const left = sql.replace(
    /CREATE\s+TABLE\s+(\w+)\s*\(((?:[^()]|\([^()]*\))*)\)\s*;/gi,
    (statement, written: string, body: string, at: number) => {
      const line = lineOf(at);
      const name = written.toLowerCase();
      if (tables.has(name)) report(line, `table ${name} is declared twice`);
      tables.set(name, { name, columns: columnsOf(body, (message) => report(line, `table ${name}: ${message}`)) });
      return ' '.repeat(statement.length);
    },
  );
  const rest = left.search(/\S/);
  if (rest >= 0) report(lineOf(rest), 'only CREATE TABLE name (column type, …); may stand here');
  return tables;
}

function columnsOf(body: string, report: (message: string) => void): DeclaredTable['columns'] {
  const columns = body.split(/,(?![^(]*\))/).map((text) => {
    const [name = '', ...type] = text.trim().split(/\s+/);
    return { name, type: type.join('').toLowerCase() };
  });
  const seen = new Set<string>();
  for (const { name, type } of columns) {
    const [known, digits, scale] = TYPE.exec(type) ?? [];
    if (!/^[A-Za-z_]\w*$/.test(name)) report(`"${name}" is no column name`);
    else if (known === undefined) {
      report(`column ${name}: "${type}" is none of bigint, double, decimal(p,s), boolean, varchar, date, timestamp`);
    } else if (digits !== undefined && (Number(digits) > 38 || Number(scale) > Number(digits))) {
      report(`column ${name}: ${type} has more than 38 digits, or more behind the point than in all`);
    }
    if (seen.has(name.toLowerCase())) report(`column ${name} is declared twice`);
    seen.add(name.toLowerCase());
  }
  return columns;
}
