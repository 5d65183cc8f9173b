import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { BlockHash } from './block-hash';

const blockOf = (byte: string, last: boolean) => ({
  data: Buffer.from(new SharedArrayBuffer(100_000)).fill(byte),
  last,
});

describe('BlockHash', () => {
  it('hashes block by block in its thread, which then holds the process no more', async () => {
    const [first, second] = [blockOf('a', false), blockOf('b', true)];
    const hash = new BlockHash(true);
    await hash.update(first);
    const own = hash.updateWithDigest(second);
    // Else a process with nothing else to do would end here.
    expect(process.getActiveResourcesInfo()).toContain('MessagePort');
    expect(await own).toBe(createHash('sha256').update(second.data).digest('hex'));
    const whole = Buffer.concat([first.data, second.data]);
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(whole));
    expect(await hash.digest()).toEqual({
      sha256: createHash('sha256').update(whole).digest('hex'),
      crc32: crc.toString('base64'),
    });
    expect(process.getActiveResourcesInfo()).not.toContain('MessagePort');
  });

  it('fails whoever began on a thread that died, and begins anew on another', async () => {
    const [begun, other] = [new BlockHash(), new BlockHash()];
    await begun.update(blockOf('a', false));
    const tooLong = { buffer: new SharedArrayBuffer(1), byteOffset: 0, length: 2 };
    const died = { name: 'RangeError' };
    await expect(other.update({ data: tooLong as unknown as Buffer, last: false })).rejects.toMatchObject(died);
    await expect(begun.update(blockOf('a', true))).rejects.toMatchObject(died);
    await expect(begun.digest()).rejects.toMatchObject(died);
    const anew = new BlockHash();
    const blocks = [blockOf('a', false), blockOf('b', true)];
    for (const block of blocks) await anew.update(block);
    const whole = createHash('sha256');
    for (const { data } of blocks) whole.update(data);
    expect((await anew.digest()).sha256).toBe(whole.digest('hex'));
  }, 10_000);
});
