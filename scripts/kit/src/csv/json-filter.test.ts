import fc from 'fast-check';
import { filterJson, JsonSyntaxError } from './json-filter';

const isSecret = (key: string) => /^(password|token)$/i.test(key);
const byKey = (path: readonly string[]) => isSecret(path[path.length - 1]!);

function filtered(text: string, isSensitiveKey = byKey): string {
  const bytes = Buffer.from(text);
  // Inside a packet, other fields stand around the value.
  const packet = Buffer.concat([Buffer.from('":{['), bytes, Buffer.from(':{"x":1}]')]);
  return filterJson(packet, 4, 4 + bytes.length, 'datos', isSensitiveKey).toString();
}

/** What `filterJson` means, over parsed values. */
function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (isSecret(key) ? [] : [[key, without(inner)]])),
  );
}

describe('filterJson', () => {
  it.each([
    ['first', '{"password":1,"a":2,"b":3}', '{"a":2,"b":3}'],
    ['in the middle', '{"a":2,"password":1,"b":3}', '{"a":2,"b":3}'],
    ['last', '{"a":2,"b":3,"password":1}', '{"a":2,"b":3}'],
    ['alone', '{"password":1}', '{}'],
    ['two in a row', '{"password":1,"token":2,"a":3}', '{"a":3}'],
    ['all', '{"password":1,"token":2}', '{}'],
    ['an object', '{"a":1,"password":{"token":{"x":[1]},"y":"}"},"b":2}', '{"a":1,"b":2}'],
    ['an array', '{"password":[{"token":1},[2,{"b":3}]],"b":[]}', '{"b":[]}'],
    ['inside arrays', '[{"a":1,"token":2},[{"token":3}],"token"]', '[{"a":1},[{}],"token"]'],
    ['deep', '{"a":{"b":{"token":1},"c":[]},"d":{}}', '{"a":{"b":{},"c":[]},"d":{}}'],
    ['with escapes in the key', '{"pass\\u0077ord":1,"\\u0074oken":"x","a\\"b":2}', '{"a\\"b":2}'],
    ['only as a value', '{"a":"password","b":["token"]}', '{"a":"password","b":["token"]}'],
    ['twice', '{"token":1,"a":1,"token":2}', '{"a":1}'],
  ])('drops a sensitive member that stands %s', (_, text, expected) => {
    expect(filtered(text)).toBe(expected);
  });

  it.each([
    '1e400',
    '0.1000000000000000055511151231257827',
    '12345678901234567890',
    '-0',
    '1E+2',
    'null',
    '"\\ud83d\\ude00"',
  ])('keeps %s as it stands', (token) => {
    expect(filtered(` ${token}\n`)).toBe(token);
    expect(filtered(`{"a" : [ ${token} , ${token} ], "token": ${token}}`)).toBe(`{"a":[${token},${token}]}`);
  });

  it('asks with the column and the keys, arrays left out', () => {
    const paths: string[] = [];
    filtered('{"a":[{"b":1},[{"c":{"d":1}}]],"token":{"x":1},"e":[],"f":{"g":2}}', (path) => {
      paths.push(path.join('.'));
      return byKey(path);
    });
    expect(paths).toEqual(['a', 'a.b', 'a.c', 'a.c.d', 'token', 'e', 'f', 'f.g'].map((path) => `datos.${path}`));
  });

  it('means the same as filtering the parsed value', () => {
    const key = fc.oneof(
      fc.constantFrom('password', 'token', 'Token', 'a', ''),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { depthSize: 'medium' },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('json'), { maxLength: 4 }),
        fc.dictionary(key, tie('json'), { maxKeys: 5 }),
      ),
    }));
    const space = fc.array(fc.constantFrom(' ', '\n', '\t', '\r', ''), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(json, space, (value, spaces) => {
        const compact = JSON.stringify(value);
        let i = 0;
        const loose = compact.replace(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^"[\]{},:]+/g, (token) => {
          return `${spaces[i++ % spaces.length]}${token}${spaces[i++ % spaces.length]}`;
        });
        // Compared as text as well: no white space is left, and no token has changed.
        const expected = without(JSON.parse(compact));
        expect(filtered(loose)).toBe(JSON.stringify(expected));
        expect(filtered(loose, () => false)).toBe(compact);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['array', 'object'])('goes 300,000 levels down an %s, in linear time', (kind) => {
    const [open, close] = kind === 'array' ? ['[', ']'] : ['{"a":', '}'];
    const deep = (depth: number) => `${open.repeat(depth)}${kind === 'array' ? '' : '1'}${close.repeat(depth)}`;
    const text = deep(300_000);
    const started = performance.now();
    expect(filtered(text) === text).toBe(true);
    // 5·10^10 steps would take longer, on any machine.
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(filtered(`{"token":${text},"b":1}`)).toBe('{"b":1}');
  });

  it.each([
    '',
    ' ',
    '{',
    '}',
    '[',
    ']',
    '[1',
    '[1,',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[1}',
    '{]',
    '{"s3cr3t"',
    '{"s3cr3t":',
    '{"s3cr3t":1',
    '{"s3cr3t":1,',
    '{"s3cr3t":1,}',
    '{,"s3cr3t":1}',
    '{"s3cr3t" 1}',
    '{s3cr3t:1}',
    '{"s3cr3t":1 "b":2}',
    '{"s3cr3t":1}}',
    '{"s3cr3t":x"y"}',
    '"s3cr3t',
    '"s3cr3t\\',
    '"s3cr3t\\"',
    '{"s3cr3t\\x":1}',
    '"s3cr3t" 1',
    '1 2',
    ',',
    ':',
  ])('refuses %j without telling it', (text) => {
    let error: unknown;
    try {
      filtered(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(JsonSyntaxError);
    expect((error as Error).message).toBe('Column "datos" holds a text that is not JSON');
  });

  it('refuses every beginning of a text, and never reads past its end', () => {
    const text = '{"a":[1,{"b":"x\\"y"}],"token":{"c":[true]}}';
    for (let end = 0; end < text.length; end++) expect(() => filtered(text.slice(0, end))).toThrow(JsonSyntaxError);
  });
});
