import type { ResultSet, SqlValue } from './engines/engine';
import { AS_OF, type RouteStatement } from './packs/pack';

/**
 * JSON whose fields keep their order, whatever they are called: a plain object would sort names like "2024" first. A list
 * stays the rows that it is of until it is written.
 */
type Node = SqlValue | ResultSet | Fields;
interface Fields extends Map<string, Node> {}

/** What is put into bytes at a time. */
const PIECE_CHARACTERS = 64 * 1024;

/**
 * The body of an answer: `as_of` first, then each statement's result under its name, in the order of the file. A
 * statement named `.` puts its columns there itself; where it is a map, the answer is nothing but that map.
 * Throws where a `:one` or `:value` has more than one row.
 */
export function composeAnswer(
  asOf: string,
  statements: readonly RouteStatement[],
  results: readonly ResultSet[],
): Buffer {
  const answer: Fields = new Map([[AS_OF, asOf]]);
  for (const [index, statement] of statements.entries()) {
    const { path } = statement;
    const node = nodeOf(statement, results[index]!);
    if (path.length > 0) put(answer, path, node);
    else if (statement.kind === 'map') return toJson(node);
    else for (const [name, value] of node as Fields) answer.set(name, value);
  }
  return toJson(answer);
}

function nodeOf({ kind, path }: RouteStatement, result: ResultSet): Node {
  if (kind === 'many') return result;
  const { columns, rows } = result;
  const names = columns.map(({ name }) => name);
  const fields = (row: readonly SqlValue[] | undefined): Fields =>
    new Map(names.map((name, index) => [name, row?.[index] ?? null]));
  if (kind === 'map') return new Map(rows.map(([key, value]) => [String(key), value ?? null]));
  if (rows.length > 1)
    throw new Error(`"${path.join('.') || '.'}" is :${kind}, and the engine found ${rows.length} rows`);
  return kind === 'one' ? fields(rows[0]) : (rows[0]?.[0] ?? null);
}

function put(into: Fields, [name, ...rest]: readonly string[], node: Node): void {
  if (rest.length === 0) {
    into.set(name!, node);
    return;
  }
  let inner = into.get(name!);
  if (!(inner instanceof Map)) {
    inner = new Map();
    into.set(name!, inner);
  }
  put(inner as Fields, rest, node);
}

/** As one text, a large answer would not fit beside others into the gateway's heap; bytes lie outside of it. */
function toJson(node: Node): Buffer {
  const bytes: Buffer[] = [];
  let text = '';
  for (const piece of jsonOf(node)) {
    text += piece;
    if (text.length < PIECE_CHARACTERS) continue;
    bytes.push(Buffer.from(text));
    text = '';
  }
  return Buffer.concat([...bytes, Buffer.from(text)]);
}

function* jsonOf(node: Node): Generator<string> {
  if (node instanceof Map) {
    yield '{';
    let comma = '';
    for (const [name, value] of node) {
      yield `${comma}${JSON.stringify(name)}:`;
      yield* jsonOf(value);
      comma = ',';
    }
    yield '}';
  } else if (typeof node === 'object' && node !== null) yield* listOf(node);
  else yield JSON.stringify(node);
}

function* listOf({ columns, rows }: ResultSet): Generator<string> {
  const names = columns.map(({ name }) => `${JSON.stringify(name)}:`);
  yield '[';
  let comma = '';
  for (const row of rows) {
    yield `${comma}{${names.map((name, index) => name + JSON.stringify(row[index] ?? null)).join(',')}}`;
    comma = ',';
  }
  yield ']';
}
