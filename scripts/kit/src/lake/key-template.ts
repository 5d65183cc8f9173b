import { createHash } from 'node:crypto';

/** S3 takes 1024 bytes; the rest is for the lake's prefix (`MAX_PREFIX_BYTES`) and its slash. */
const MAX_KEY_BYTES = 823;
/** File systems' limit, for the folder lake. */
const MAX_NAME_BYTES = 255;
/** A name with the longest hash must fit. */
const MIN_TABLE_BYTES = 80;

/** A setting that is a template of keys, as its problems name it. */
export interface KeyTemplate {
  setting: string;
  template: string;
}

/**
 * A name as one segment of a key: bytes outside `[A-Za-z0-9_.-]` and a dot at the beginning become `%XX`. No two names
 * get the same, and none gets an empty one.
 */
export const encodeName = (name: string): string =>
  [...Buffer.from(name)].map(encodeByte).join('').replace(/^\./, '%2E') || '%';

const encodeByte = (byte: number): string => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9_.-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
};

/**
 * The template filled for each table; `values` stand for the other placeholders, as they are. Keys that would differ by
 * nothing, or by letter case only (some disks take those for one), and keys too long for a store get a hash of the
 * table's name. Throws `Error` if the template is too long.
 */
export function keysByTable(
  { setting, template }: KeyTemplate,
  values: Readonly<Record<string, string>>,
  tables: readonly string[],
): Map<string, string> {
  const keyOf = (table: string) => fill(template, { ...values, table });
  const room = roomForTable(template, keyOf(''));
  if (room < MIN_TABLE_BYTES) throw new Error(`${setting} ${JSON.stringify(template)} is too long`);

  const names = new Map(tables.map((table) => [table, encodeName(table)]));
  const rename = (renamed: readonly string[], digits: number) => {
    for (const table of renamed) names.set(table, hashedName(table, digits, room));
  };
  rename(
    [...names].filter(([, name]) => name.length > room).map(([table]) => table),
    8,
  );
  // A hashed name could meet another table's real one: then all of them get a longer hash.
  for (const digits of [8, 16, 32, 64]) rename(clashing(names), digits);
  return new Map([...names].map(([table, name]) => [table, keyOf(name)]));
}

/** What makes keys of other than safe characters, or of a shape that some lake refuses. Throws `Error`. */
export function checkTemplate({ setting, template }: KeyTemplate, placeholders: readonly string[]): void {
  const wrong = (problem: string) => new Error(`${setting} ${JSON.stringify(template)} ${problem}`);
  const literal = placeholders.reduce((text, placeholder) => text.replaceAll(placeholder, 'x'), template);
  const odd = /[^A-Za-z0-9_.=/-]/.exec(literal);
  if (odd) throw wrong(`may contain ${placeholders.join(', ')}, letters, digits and _ . = - / only, not ${odd[0]}`);
  if (literal.split('/').some((segment) => segment === '' || segment.startsWith('.')))
    throw wrong('must not have an empty part between slashes, nor one that starts with a dot');
  if (template.startsWith('_ingesta/')) throw wrong('must not start with _ingesta/: records live there');
}

const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replace(/\{(\w+)\}/g, (_, name) => values[name]!);

/** Bytes that a table's name may take, given the key without it. */
function roomForTable(template: string, bare: string): number {
  const segments = template.split('/');
  const rooms = bare
    .split('/')
    .map((segment, index) => ({ left: MAX_NAME_BYTES - segment.length, uses: usesOf(segments[index]!) }))
    .concat({ left: MAX_KEY_BYTES - bare.length, uses: usesOf(template) })
    .filter(({ uses }) => uses > 0)
    .map(({ left, uses }) => Math.floor(left / uses));
  return Math.min(...rooms);
}

const usesOf = (template: string): number => template.split('{table}').length - 1;

/** `name` cut to fit, and as many digits of its SHA-256. A percent code is not cut in two. */
export const hashedName = (name: string, digits: number, room: number): string => {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, digits);
  return `${encodeName(name)
    .slice(0, room - digits - 1)
    .replace(/%.?$/, '')}-${hash}`;
};

function clashing(names: ReadonlyMap<string, string>): string[] {
  const counts = new Map<string, number>();
  for (const name of names.values()) counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1);
  return [...names].filter(([, name]) => counts.get(name.toLowerCase())! > 1).map(([table]) => table);
}
