/** One piece of SQL text; blanks are left out. */
export interface SqlToken {
  kind: 'word' | 'string' | 'quoted' | 'comment' | 'placeholder' | 'symbol';
  text: string;
  /** Offset of its first character. */
  at: number;
}

const PATTERNS: readonly (readonly [SqlToken['kind'], RegExp])[] = [
  ['comment', /--[^\n]*|\/\*[\s\S]*?\*\//y],
  ['string', /'(?:[^']|'')*'/y],
  ['quoted', /"(?:[^"]|"")*"/y],
  // Before the placeholder: `x::date` is a cast.
  ['symbol', /::|:=/y],
  ['placeholder', /:[A-Za-z_]\w*/y],
  ['word', /[\p{L}\p{N}_.]+/uy],
];

/**
 * Splits SQL as far as one has to in order to find placeholders, table names and the ends of statements: literals and
 * comments are whole tokens, so that nothing in them is taken for SQL. An open quote or comment is one symbol token.
 */
export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  for (let at = 0; at < sql.length; ) {
    if (/\s/.test(sql[at]!)) {
      at += 1;
      continue;
    }
    const token = tokenAt(sql, at);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function tokenAt(sql: string, at: number): SqlToken {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0];
    if (text !== undefined) return { kind, text, at };
  }
  return { kind: 'symbol', text: sql[at]!, at };
}

/** Whether a single quote, a double quote or a comment is opened and never closed. */
export const isUnclosed = ({ kind, text }: SqlToken): boolean => kind === 'symbol' && (text === "'" || text === '"');
