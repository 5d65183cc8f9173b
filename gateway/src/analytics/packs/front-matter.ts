import { type TableRef, tableRef } from './pack';
import type { Report } from './pack-error';
import { type Parameter, parseParameter } from './parameter';

/** What stands in the comments on top of a route's file. */
export interface FrontMatter {
  route: string;
  routeLine: number;
  summary: string;
  description: string;
  group: string;
  parameters: { parameter: Parameter; line: number }[];
  tables: { ref: TableRef; line: number }[];
  uses: { ref: TableRef; line: number }[];
  example: Record<string, string>;
}

const ROUTE = /^(\/[a-z0-9][a-z0-9_-]*)+$/;
const DIRECTIVES = ['route', 'summary', 'description', 'group', 'param', 'tables', 'uses', 'example', 'name'];

/** Reads `lines`, which are numbered from 1; a comment of another form than `-- word: text` is but a comment. */
export function parseFrontMatter(lines: readonly string[], report: Report): FrontMatter {
  const found: FrontMatter = {
    ...{ route: '', routeLine: 1, summary: '', description: '', group: '' },
    ...{ parameters: [], tables: [], uses: [], example: {} },
  };
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    const [, directive, value] = /^--\s*([a-z][a-z-]*):\s*(.*?)\s*$/.exec(text) ?? [];
    if (directive !== undefined && value !== undefined) {
      readDirective(found, directive, value, line, (message) => report(line, message));
    } else if (text.trim() !== '' && !text.startsWith('--')) {
      report(line, 'SQL must stand behind a line like: -- name: total :value');
    }
  }
  if (found.route === '') report(null, 'it has no line like: -- route: /mysql/analytics/users');
  if (found.summary === '') report(null, 'it has no line like: -- summary: What the route answers');
  if (found.tables.length === 0) report(null, 'it has no line like: -- tables: mysql.users, mysql.clients');
  found.group ||= found.route.split('/')[1] ?? '';
  return found;
}

function readDirective(
  found: FrontMatter,
  directive: string,
  value: string,
  line: number,
  report: (message: string) => void,
) {
  switch (directive) {
    case 'route':
      if (found.route !== '') report('a file is one route: "route" stands twice');
      if (!ROUTE.test(value)) report(`"${value}" is no route: parts of a-z, 0-9, - and _, like /mysql/analytics/users`);
      Object.assign(found, { route: value, routeLine: line });
      return;
    case 'summary':
    case 'group':
      if (found[directive] !== '') report(`"${directive}" stands twice`);
      found[directive] = value;
      return;
    case 'description':
      found.description = `${found.description} ${value}`.trim();
      return;
    case 'param':
      return readParameter(found, value, line, report);
    case 'tables':
    case 'uses':
      return readTables(found, directive, value, line, report);
    case 'example':
      for (const pair of value.split(';')) {
        const [, column, example] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
        if (column === undefined || example === undefined) report(`"${pair.trim()}" is not like: state = Lima`);
        else found.example[column] = example;
      }
      return;
    default:
      report(`unknown directive "${directive}"; there are ${DIRECTIVES.join(', ')}`);
  }
}

function readParameter(found: FrontMatter, value: string, line: number, report: (message: string) => void) {
  const parameter = parseParameter(value);
  if (typeof parameter === 'string') return report(parameter);
  if (parameter.name === 'as_of') return report('as_of is there by itself: the date of the oldest data read');
  if (found.parameters.some((known) => known.parameter.name === parameter.name)) {
    report(`parameter ${parameter.name} stands twice`);
  }
  found.parameters.push({ parameter, line });
}

function readTables(
  found: FrontMatter,
  directive: 'tables' | 'uses',
  value: string,
  line: number,
  report: (message: string) => void,
) {
  for (const text of value.split(',').map((part) => part.trim())) {
    const ref = tableRef(text);
    if (ref === null) report(`"${text}" is no table like mysql.users`);
    else if ([...found.tables, ...found.uses].some((known) => known.ref.name === ref.name)) {
      report(`table ${text} stands twice`);
    } else found[directive].push({ ref, line });
  }
}
