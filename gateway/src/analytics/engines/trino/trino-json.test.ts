import * as fc from 'fast-check';
import { parseTrinoJson } from './trino-json';

it.each([
  ['[9007199254740993,-9007199254740993]', ['9007199254740993', '-9007199254740993']],
  ['[123456789012345]', [123456789012345]],
  ['[0.12345678901234567890,1.25E17,-1E-1234567890123456]', [0.12345678901234568, 1.25e17, -0]],
  ['["9007199254740993","a\\"9007199254740993,",1]', ['9007199254740993', 'a"9007199254740993,', 1]],
  ['{"9007199254740993":9007199254740993}', { '9007199254740993': '9007199254740993' }],
])('reads %s', (text, expected) => {
  expect(parseTrinoJson(text)).toEqual(expected);
});

it('changes nothing else', () => {
  const json = fc.json().filter((text) => !/\d{16}/.test(text));
  fc.assert(
    fc.property(json, fc.string(), (text, words) => {
      const whole = `[${text},${JSON.stringify(`${words}9007199254740993`)}]`;
      expect(parseTrinoJson(whole)).toEqual(JSON.parse(whole));
    }),
  );
});
