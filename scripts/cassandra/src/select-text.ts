/** One thing that a SELECT asks for. */
export interface Selector {
  /** As written, alias included, without comments. */
  text: string;
  /** The names that it is made of, each with the fields and keys behind it: `login`, `password` for `login['password']`. */
  paths: string[][];
  /** It is one of `paths` and nothing else. */
  isPath: boolean;
}

/** A SELECT, taken apart as far as is needed to leave some of its columns out. */
export interface SelectText {
  distinct: boolean;
  /** Empty for `*`. */
  selectors: Selector[];
  /** '' where the statement does not say. */
  keyspace: string;
  /** The table as written, and all that stands behind it. */
  rest: string;
  /** Rows that it ends after; null where it does not say. */
  limit: number | null;
}

interface Token {
  kind: 'name' | 'string' | 'other';
  /** A name as the server understands it, a string without its quotes. */
  value: string;
  start: number;
  end: number;
}

/** Strings and quoted names, which may look like comments, and comments. */
const OPAQUE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$|--.*|\/\/.*|\/\*[\s\S]*?\*\//g;
const TOKEN = /'((?:[^']|'')*)'|\$\$([\s\S]*?)\$\$|"((?:[^"]|"")*)"|(\w+)|\S/g;

/** Throws an `Error` on a text that is no SELECT; whether it is a good one, the server says. */
export function parseSelect(text: string): SelectText {
  const clean = text.replace(OPAQUE, (part) => (/^(?:--|\/)/.test(part) ? ' ' : part));
  const tokens = tokensOf(clean);
  if (tokens.at(-1)?.value === ';') tokens.pop();
  if (!isKeyword(tokens[0], 'select')) throw new Error('it does not begin with SELECT');
  const from = tokens.findIndex((token, i) => isKeyword(token, 'from') && depthAt(tokens, i) === 0);
  if (from < 2) throw new Error('it has no FROM');
  let first = 1;
  // Both are good names for a column, too.
  const isModifier = (word: string) =>
    isKeyword(tokens[first], word) && first + 1 < from && !/^[,.[]$|^as$/.test(tokens[first + 1]!.value);
  if (isModifier('json')) throw new Error('SELECT JSON hides its columns: name them one by one');
  const distinct = isModifier('distinct');
  if (distinct) first++;
  const table = tokens[from + 1];
  const last = tokens.at(-1)!;
  if (table?.kind !== 'name') throw new Error('it names no table');
  const isQualified = tokens[from + 2]?.value === '.' && tokens[from + 3] !== undefined;
  const selected = tokens.slice(first, from);
  return {
    distinct,
    selectors:
      selected.length === 1 && selected[0]!.value === '*' ? [] : split(selected).map((part) => selectorOf(part, clean)),
    keyspace: isQualified ? table.value : '',
    rest: clean.slice((isQualified ? tokens[from + 3]! : table).start, last.end),
    limit: limitOf(tokens),
  };
}

/** The number of the statement's own LIMIT; the server takes nothing but digits there. */
function limitOf(tokens: readonly Token[]): number | null {
  const at = tokens.findIndex((token, i) => isKeyword(token, 'limit') && !isKeyword(tokens[i - 2], 'per'));
  const rows = Number(tokens[at + 1]?.value);
  return at > 0 && Number.isInteger(rows) ? rows : null;
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map((match) => {
    const [whole, single, dollars, quoted, word] = match;
    const place = { start: match.index, end: match.index + whole.length };
    if (single !== undefined) return { kind: 'string', value: single.replaceAll("''", "'"), ...place };
    if (dollars !== undefined) return { kind: 'string', value: dollars, ...place };
    if (quoted !== undefined) return { kind: 'name', value: quoted.replaceAll('""', '"'), ...place };
    if (word && /^[A-Za-z]/.test(word)) return { kind: 'name', value: word.toLowerCase(), ...place };
    return { kind: 'other', value: whole, ...place };
  });
}

/** Not the quoted name. */
const isKeyword = (token: Token | undefined, word: string): boolean =>
  token?.kind === 'name' && token.value === word && token.end - token.start === word.length;

const depthOf = ({ kind, value }: Token): number => {
  if (kind !== 'other') return 0;
  return '([{'.includes(value) ? 1 : ')]}'.includes(value) ? -1 : 0;
};

const depthAt = (tokens: readonly Token[], end: number): number =>
  tokens.slice(0, end).reduce((depth, token) => depth + depthOf(token), 0);

function split(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    depth += depthOf(token);
    if (depth === 0 && token.kind === 'other' && token.value === ',') parts.push([]);
    else parts.at(-1)!.push(token);
  }
  if (parts.some((part) => part.length === 0)) throw new Error('a comma too many stands before FROM');
  return parts;
}

function selectorOf(tokens: readonly Token[], text: string): Selector {
  const body = isKeyword(tokens.at(-2), 'as') ? tokens.slice(0, -2) : tokens;
  const paths: string[][] = [];
  let isPath = false;
  for (let at = 0; at < body.length; ) {
    const path = pathAt(body, at);
    if (path.names.length > 0) paths.push(path.names);
    isPath ||= at === 0 && path.names.length > 0 && path.next === body.length;
    at = path.next;
  }
  return { text: text.slice(tokens[0]!.start, tokens.at(-1)!.end), paths, isPath };
}

/** A name with the fields (`.name`) and keys (`['key']`) behind it; none where no name stands, or one of a function. */
function pathAt(tokens: readonly Token[], at: number): { names: string[]; next: number } {
  const value = (i: number) => (tokens[i]?.kind === 'other' ? tokens[i].value : undefined);
  if (tokens[at]!.kind !== 'name' || value(at + 1) === '(') return { names: [], next: at + 1 };
  const names = [tokens[at]!.value];
  let next = at + 1;
  for (;;) {
    if (value(next) === '.' && tokens[next + 1]?.kind === 'name') {
      names.push(tokens[next + 1]!.value);
      next += 2;
    } else if (value(next) === '[' && tokens[next + 1] && value(next + 2) === ']') {
      names.push(tokens[next + 1]!.value);
      next += 3;
    } else if (value(next) === '(') {
      // A function of another keyspace.
      return { names: [], next };
    } else return { names, next };
  }
}
