import type { CqlType } from './cql-type';
import { type OddDates, SCALAR_TEXT } from './scalar-text';
import { ValueError } from './value-error';
import { readVint } from './vint';

/** How values of one column become JSON. */
export interface JsonContext {
  isSensitiveKey: (path: readonly string[]) => boolean;
  odd: OddDates;
}

const NUMBERS = new Set([
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'counter',
  'varint',
  'decimal',
  'double',
  'float',
  'boolean',
]);
const TEXTS = new Set(['text', 'varchar', 'ascii']);
/** Elements of these have no length in front of them inside a vector. */
const FIXED_LENGTHS: Record<string, number> = {
  boolean: 1,
  int: 4,
  float: 4,
  bigint: 8,
  double: 8,
  timestamp: 8,
  uuid: 16,
  timeuuid: 16,
};

/** The text of a scalar as it stands in a CSV field and as a key of a JSON object. */
export function scalarText(name: string, bytes: Buffer, start: number, end: number, odd: OddDates): string {
  if (start === end) return '';
  return TEXTS.has(name) ? bytes.toString('utf8', start, end) : SCALAR_TEXT[name]!(bytes, start, end, odd);
}

/**
 * Compact JSON of a value. Numbers are written in full precision, what JSON has no form for as a string. Lists, sets,
 * tuples and vectors are arrays, user-defined types objects. A map is an object whose keys are the texts that its keys
 * have in a CSV field; where keys are themselves collections, it is an array of [key, value] pairs.
 * `path`: the column, then the keys down to here; sensitive members are left out.
 */
export function jsonText(
  type: CqlType,
  bytes: Buffer,
  start: number,
  end: number,
  path: readonly string[],
  context: JsonContext,
): string {
  if (type.kind === 'scalar') return scalarJson(type.name, bytes, start, end, context.odd);
  // Zero bytes are a legal value of a frozen type: nothing in it, and not null.
  if (start === end) return '""';
  switch (type.kind) {
    case 'list': {
      const items: string[] = [];
      eachOf(bytes, start, end, 1, ([item]) => {
        items.push(elementJson(type.of, bytes, item!, path, context));
      });
      return `[${items.join(',')}]`;
    }
    case 'map':
      return mapJson(type, bytes, start, end, path, context);
    case 'tuple': {
      let at = start;
      const items = type.of.map((of) => {
        const element = readElement(bytes, at, end);
        at = element.end;
        return elementJson(of, bytes, element, path, context);
      });
      assertEnd(at, end);
      return `[${items.join(',')}]`;
    }
    case 'udt': {
      let at = start;
      const members: string[] = [];
      for (const field of type.fields) {
        const element = readElement(bytes, at, end);
        at = element.end;
        const fieldPath = [...path, field.name];
        if (context.isSensitiveKey(fieldPath)) continue;
        members.push(`${JSON.stringify(field.name)}:${elementJson(field.type, bytes, element, fieldPath, context)}`);
      }
      assertEnd(at, end);
      return `{${members.join(',')}}`;
    }
    case 'vector':
      return vectorJson(type, bytes, start, end, path, context);
  }
}

interface Element {
  start: number;
  end: number;
  isNull: boolean;
}

/** Four bytes of length, then that many. What was left off at the end of a tuple or a user-defined type is null. */
function readElement(bytes: Buffer, at: number, end: number): Element {
  if (at === end) return { start: at, end: at, isNull: true };
  const length = bytes.readInt32BE(at);
  const start = at + 4;
  if (length < 0) return { start, end: start, isNull: true };
  if (start + length > end) throw brokenValue();
  return { start, end: start + length, isNull: false };
}

function eachOf(bytes: Buffer, start: number, end: number, width: number, use: (elements: Element[]) => void): void {
  const count = bytes.readInt32BE(start);
  let at = start + 4;
  for (let i = 0; i < count; i++) {
    const elements: Element[] = [];
    for (let n = 0; n < width; n++) {
      if (at >= end) throw brokenValue();
      const element = readElement(bytes, at, end);
      at = element.end;
      elements.push(element);
    }
    use(elements);
  }
  assertEnd(at, end);
}

const elementJson = (
  type: CqlType,
  bytes: Buffer,
  element: Element,
  path: readonly string[],
  context: JsonContext,
): string => (element.isNull ? 'null' : jsonText(type, bytes, element.start, element.end, path, context));

function scalarJson(name: string, bytes: Buffer, start: number, end: number, odd: OddDates): string {
  const text = scalarText(name, bytes, start, end, odd);
  if (TEXTS.has(name)) return JSON.stringify(text);
  // NaN, the infinities and values of zero bytes are no JSON numbers.
  return NUMBERS.has(name) && /\d$|e$/.test(text) ? text : `"${text}"`;
}

function mapJson(
  type: CqlType & { kind: 'map' },
  bytes: Buffer,
  start: number,
  end: number,
  path: readonly string[],
  context: JsonContext,
): string {
  const { key: keyType, value: valueType } = type;
  const members: string[] = [];
  if (keyType.kind === 'scalar') {
    eachOf(bytes, start, end, 2, ([key, value]) => {
      const name = scalarText(keyType.name, bytes, key!.start, key!.end, context.odd);
      const memberPath = [...path, name];
      if (context.isSensitiveKey(memberPath)) return;
      members.push(`${JSON.stringify(name)}:${elementJson(valueType, bytes, value!, memberPath, context)}`);
    });
    return `{${members.join(',')}}`;
  }
  eachOf(bytes, start, end, 2, ([key, value]) => {
    const name = elementJson(keyType, bytes, key!, path, context);
    members.push(`[${name},${elementJson(valueType, bytes, value!, path, context)}]`);
  });
  return `[${members.join(',')}]`;
}

function vectorJson(
  type: CqlType & { kind: 'vector' },
  bytes: Buffer,
  start: number,
  end: number,
  path: readonly string[],
  context: JsonContext,
): string {
  const fixed = fixedLength(type.of);
  const items: string[] = [];
  let at = start;
  for (let i = 0; i < type.dimension; i++) {
    let length = fixed;
    if (length === null) {
      const vint = readVint(bytes, at);
      length = Number(vint.value);
      at = vint.next;
    }
    if (at + length > end) throw brokenValue();
    items.push(jsonText(type.of, bytes, at, at + length, path, context));
    at += length;
  }
  assertEnd(at, end);
  return `[${items.join(',')}]`;
}

function fixedLength(type: CqlType): number | null {
  if (type.kind === 'scalar') return FIXED_LENGTHS[type.name] ?? null;
  if (type.kind !== 'vector') return null;
  const element = fixedLength(type.of);
  return element === null ? null : element * type.dimension;
}

/** Bytes behind the last known field: somebody added one to the type after it was looked up. */
function assertEnd(at: number, end: number): void {
  if (at !== end) throw brokenValue();
}

const brokenValue = () => new ValueError('a value does not have the form of its type');
