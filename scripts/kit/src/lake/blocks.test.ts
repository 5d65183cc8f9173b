import { inBlocks } from './blocks';

const chunks = async function* (...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
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
