import { inBlocks } from './blocks';

const chunks = async function* (...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
};

const chunksOf = async function* (bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
};

describe('inBlocks', () => {
  it.each([
    [[], ['']],
    [['', ''], ['']],
    [['a', 'bc'], ['abc']],
    [['abcd'], ['abcd']],
    [['abcde'], ['abcd', 'e']],
    [
      ['ab', '', 'cdefghij', 'k'],
      ['abcd', 'efgh', 'ijk'],
    ],
  ])('cuts %j into %j and marks the last', async (texts, expected) => {
    const blocks: [string, boolean][] = [];
    for await (const { data, last } of inBlocks(chunks(...texts), () => 4)) blocks.push([data.toString(), last]);
    expect(blocks).toEqual(expected.map((text, index) => [text, index === expected.length - 1]));
  });

  it('lets blocks grow where they are, and past that in new memory', async () => {
    const memories: ArrayBufferLike[] = [];
    const read: Buffer[] = [];
    const sizes = [2, 2, 3, 32, 33, 33];
    const all = Buffer.from(Array.from({ length: 105 }, (_, i) => i));
    for await (const { data } of inBlocks(chunksOf(all), (number) => sizes[number - 1]!)) {
      memories.push(data.buffer);
      read.push(Buffer.from(data));
    }
    expect(read.map(({ length }) => length)).toEqual(sizes);
    expect(Buffer.concat(read)).toEqual(all);
    expect([memories[2] === memories[0], memories[3] === memories[1], memories[4] === memories[2]]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('pulls nothing while nobody asks for a block', async () => {
    let pulled = 0;
    async function* body() {
      for (; ; pulled += 1) yield Buffer.alloc(1);
    }
    const blocks = inBlocks(body(), () => 4);
    await blocks.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pulled).toBe(4);
    await blocks.return(undefined);
  });
});
