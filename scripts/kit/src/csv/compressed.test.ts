import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { compressed } from './compressed';

async function* each(pieces: readonly Buffer[]) {
  yield* pieces;
}

async function zipped(pieces: readonly Buffer[]): Promise<Buffer> {
  const out: Buffer[] = [];
  for await (const data of compressed(each(pieces))) out.push(data);
  return Buffer.concat(out);
}

describe('compressed', () => {
  it('inflates to the same bytes, however they are cut', async () => {
    const piece = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
        const out = await zipped(pieces);
        expect(gunzipSync(out).equals(Buffer.concat(pieces))).toBe(true);
        expect((await zipped(pieces)).equals(out)).toBe(true);
      }),
    );
  });

  it('keeps the order of pieces of very different sizes, and makes text small', async () => {
    const pieces = Array.from({ length: 60 }, (_, i) =>
      Buffer.from(`${i},"text ${i % 7}"\n`.repeat(i % 5 === 0 ? 200_000 : 100)),
    );
    const out = await zipped(pieces);
    expect(gunzipSync(out).equals(Buffer.concat(pieces))).toBe(true);
    expect(out.length).toBeLessThan(Buffer.concat(pieces).length / 20);
  });

  it('throws what the body throws', async () => {
    async function* broken() {
      yield Buffer.from('a');
      throw new Error('lost');
    }
    const drain = async () => {
      for await (const data of compressed(broken())) expect(data.length).toBeGreaterThan(0);
    };
    await expect(drain()).rejects.toThrow('lost');
  });
});
