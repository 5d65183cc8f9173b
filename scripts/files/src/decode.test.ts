import fc from 'fast-check';
import { decode } from './decode';
import type { Encoding } from './settings';

async function text(bytes: Uint8Array, encoding: Encoding = 'auto', cut = 1, onFallback = () => {}): Promise<string> {
  async function* body() {
    // One buffer for all chunks, as the folder's reader has it.
    const chunk = Buffer.alloc(cut);
    for (let at = 0; at < bytes.length; at += cut) {
      const length = Buffer.from(bytes.subarray(at, at + cut)).copy(chunk);
      yield chunk.subarray(0, length);
    }
  }
  const parts: Buffer[] = [];
  for await (const part of decode(body(), encoding, onFallback)) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString('utf8');
}

const swapped = (value: string) => Buffer.from(value, 'utf16le').swap16();

describe('decoding a file', () => {
  const sample = 'a;ñ;€;🙂\n';
  it.each([
    ['UTF-8', Buffer.from(sample)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${sample}`)],
    ['UTF-16LE with a mark', Buffer.from(`\ufeff${sample}`, 'utf16le')],
    ['UTF-16BE with a mark', swapped(`\ufeff${sample}`)],
  ])('finds out %s, cut anywhere', async (_, bytes) => {
    for (const cut of [1, 2, 3, 5, 1000]) expect(await text(bytes, 'auto', cut)).toBe(sample);
  });

  it('takes what is not UTF-8 for windows-1252, and says so', async () => {
    const fallback = jest.fn();
    for (const cut of [1, 2, 3, 100]) {
      expect(await text(Buffer.from('plain, A\xf1o \x80 \x93x\x94 \x81 \xe1', 'latin1'), 'auto', cut, fallback)).toBe(
        'plain, Año € “x” \x81 á',
      );
    }
    expect(fallback).toHaveBeenCalledTimes(4);
  });

  it('does not guess where both are met', async () => {
    const mixed = Buffer.concat([Buffer.from('ñ '.repeat(3)), Buffer.from([0xf1, 0x20])]);
    await expect(text(mixed)).rejects.toThrow(/UTF-8 in one place/);
    await expect(text(mixed, 'auto', 100)).rejects.toThrow(/UTF-8 in one place/);
    await expect(text(Buffer.from('ñandú').subarray(0, -1))).rejects.toThrow(/UTF-8 in one place/);
    expect(await text(mixed, 'windows-1252')).toBe('Ã± Ã± Ã± ñ ');
  });

  it('does as it is told, or fails', async () => {
    expect(await text(Buffer.from([0x80, 0xf1]), 'latin1')).toBe('\x80ñ');
    expect(await text(Buffer.from('ñ🙂', 'utf16le'), 'utf-16le', 3)).toBe('ñ🙂');
    expect(await text(swapped('ñ🙂'), 'utf-16be', 3)).toBe('ñ🙂');
    await expect(text(Buffer.from([0x61, 0xf1, 0x62]), 'utf-8')).rejects.toThrow(/not UTF-8/);
    await expect(text(Buffer.from([0x61, 0, 0x62]), 'utf-16le')).rejects.toThrow(/not UTF-16LE/);
    await expect(text(Buffer.from([0, 0xd8, 0x61, 0]), 'utf-16le')).rejects.toThrow(/not UTF-16LE/);
    await expect(text(Buffer.from('\ufeffa'), 'windows-1252')).rejects.toThrow(/mark says utf-8/);
  });

  it('gives nothing for nothing', async () => {
    expect(await text(Buffer.alloc(0))).toBe('');
    expect(await text(Buffer.from('\ufeff'))).toBe('');
    expect(await text(Buffer.from('a'))).toBe('a');
  });

  it('gives back any text in any encoding, cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 7 }), async (value, cut) => {
        fc.pre(!value.startsWith('\ufeff'));
        expect(await text(Buffer.from(value), 'auto', cut)).toBe(value);
        expect(await text(Buffer.from(`\ufeff${value}`, 'utf16le'), 'auto', cut)).toBe(value);
        expect(await text(swapped(`\ufeff${value}`), 'auto', cut)).toBe(value);
      }),
    );
  });
});
