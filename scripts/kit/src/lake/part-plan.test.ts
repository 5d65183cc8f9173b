import { MAX_PARTS, partSize } from './part-plan';

const MiB = 1024 ** 2;
const sizes = Array.from({ length: MAX_PARTS }, (_, index) => partSize(index + 1));

describe('partSize', () => {
  it('starts at the 5 MiB that S3 asks for and never shrinks', () => {
    expect(sizes[0]).toBe(5 * MiB);
    expect(sizes.every((size, index) => index === 0 || size >= sizes[index - 1]!)).toBe(true);
  });

  it('reaches 5 TiB within 10,000 parts, none above 5 GiB', () => {
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(5 * 1024 ** 4);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(5 * 1024 ** 3);
  });

  it('stays small for what fits a small container', () => {
    let written = 0;
    for (const size of sizes) {
      if (written < 3 * 1024 ** 3) expect(size).toBe(5 * MiB);
      if (written < 20 * 1024 ** 3) expect(size).toBeLessThanOrEqual(20 * MiB);
      // As the operations page has it.
      if (written < 90 * 1024 ** 3) expect(size).toBeLessThanOrEqual(72 * MiB);
      written += size;
    }
  });
});
