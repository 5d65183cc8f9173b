import { createHash } from 'node:crypto';
import { wordsOf } from './words';

/** To be raised with every change of the built-in rules: snapshots exported under others are not carried over blindly. */
const RULES_VERSION = 1;

/** Unmistakable even inside a longer word (`userpassword`, `passwordhash`) or cut in two (`PassWord`). */
const ANYWHERE = ['password', 'passwd', 'contrasena'];
/** Only as a word of its own: `salt`, not `basalt`. */
const WHOLE_WORD = new Set(['pwd', 'secret', 'token', 'salt']);
/** Also at a word's end: PostgreSQL folds `accessToken` to `accesstoken`. Not at its beginning: `secretaria`, `tokenizer`. */
const AT_END = /(?:pwd|secret|token)$/;
/** `clave` is also "code": alone or beside one of these it is a password. */
const CLAVE_COMPANIONS = new Set(['usuario', 'acceso', 'secreta', 'hash']);
/** `hash` beside one of these. */
const HASHED = new Set(['pass', 'pwd', 'clave']);
/** The same pairs where nothing marks the border between the words. */
const FLAT_PAIR =
  /^(?:clave(?:usuario|acceso|secreta|hash)|(?:usuario|acceso|hash)clave|(?:pass|pwd)hash|hash(?:pass|pwd))$/;
/** `clave_de_acceso`: words that stand between neighbours. */
const CONNECTORS = new Set(['de', 'del', 'el', 'la']);

/** The word that makes a name sensitive by the built-in rules, or null. */
export function builtInRule(name: string): string | null {
  const words = wordsOf(name).filter((word) => !CONNECTORS.has(word));
  const flat = words.join('');
  const anywhere = ANYWHERE.find((needle) => flat.includes(needle));
  if (anywhere) return anywhere;
  for (const [i, word] of words.entries()) {
    const singular = word.replace(/s$/, '');
    if (WHOLE_WORD.has(singular)) return singular;
    const [end] = AT_END.exec(singular) ?? FLAT_PAIR.exec(singular) ?? [];
    if (end) return end;
    const neighbours = [words[i - 1], words[i + 1]].filter((neighbour) => neighbour !== undefined);
    const beside = (companions: ReadonlySet<string>) =>
      neighbours.some((n) => companions.has(n) || companions.has(n.replace(/s$/, '')));
    if (singular === 'clave' && (words.length === 1 || beside(CLAVE_COMPANIONS))) return 'clave';
    if ((word === 'hash' || word === 'hashes') && beside(HASHED)) return 'hash';
  }
  return null;
}

/** Decides which columns and nested keys of one database never leave it. */
export interface SensitiveRules {
  /** Changes when the rules do: the built-in ones, or either setting. */
  readonly id: string;
  /**
   * Why `path` (column name, then keys inside a JSON value) of `table` is left out, or null to keep it. Where nobody knows
   * what it was called before: `among` are the names that its tables and columns may have had.
   */
  reason(table: string, path: readonly string[], among?: readonly string[]): string | null;
  /** So many names at the end of a path decide; paths of one table that end alike have the same reason. */
  readonly reach: number;
}

/**
 * The built-in words, plus `SENSITIVE_COLUMNS`, less `SENSITIVE_COLUMNS_ALLOW`. Both are comma-separated patterns with
 * `*` and `?`: `dni` (a column or key of that name anywhere), `users.email`, `mysql.users.*email`. Letter case does not
 * matter. An allowed name wins over both.
 */
export function sensitiveRules(database: string, settings: { add?: string; allow?: string }): SensitiveRules {
  const added = patterns(settings.add);
  const allowed = patterns(settings.allow);
  const reach = Math.max(1, ...[...added, ...allowed].map(({ parts }) => parts.length));
  const id = `${RULES_VERSION}:${digestOf(settings)}`;
  return {
    id,
    reach,
    reason(table, path, among = []) {
      // A document may be very deep: no more of the path than the patterns can see.
      const seen = path.length < reach ? [database, table, ...path] : path.slice(-reach);
      // Names may hold dots themselves; in a pattern those look no different.
      const full = seen.join('.').normalize().split('.');
      if (allowed.some((pattern) => matches(pattern, full))) return null;
      const own = added.find(
        (pattern) => matches(pattern, full) || (among.length > 0 && mayMatch(pattern, [database, ...among, ...full])),
      );
      if (own) return `SENSITIVE_COLUMNS: ${own.text}`;
      const word = builtInRule(path[path.length - 1] ?? '');
      return word && `built-in rule: ${word}`;
    },
  };
}

interface Pattern {
  text: string;
  parts: RegExp[];
}

function patterns(list: string | undefined): Pattern[] {
  return (list ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => ({
      text,
      parts: text
        .normalize()
        .split('.')
        .map((part) => globToRegExp(part, 'i')),
    }));
}

/** A pattern describes the end of the full name, so that `users.email` needs no database in front. */
const matches = ({ parts }: Pattern, full: readonly string[]): boolean =>
  parts.length <= full.length && parts.every((part, i) => part.test(full[full.length - parts.length + i]!));

/** As `matches`, with all before the last name in any order, and more. */
const mayMatch = ({ parts }: Pattern, names: readonly string[]): boolean =>
  parts.at(-1)!.test(names.at(-1)!) &&
  parts.slice(0, -1).every((part) => names.some((name) => part.test(name.normalize())));

/** `*` and `?` over one name; everything else is literal. */
export function globToRegExp(glob: string, flags: '' | 'i' = ''): RegExp {
  const source = glob
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, `su${flags}`);
}

const digestOf = ({ add, allow }: { add?: string; allow?: string }): string =>
  createHash('sha256')
    .update(JSON.stringify([add ?? '', allow ?? '']))
    .digest('hex')
    .slice(0, 16);
