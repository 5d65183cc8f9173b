import fc from 'fast-check';
import { heldMemory } from '../../../../test/held-memory';
import { Frames, type FrameTarget } from './frames';

const frame = (type: string, payload: Uint8Array) => {
  const bytes = Buffer.alloc(5 + payload.length);
  bytes.write(type, 0, 'latin1');
  bytes.writeUInt32BE(payload.length + 4, 1);
  bytes.set(payload, 5);
  return bytes;
};

/** PostgreSQL's messages: a type, and a length that counts itself. */
const target = (rest: Pick<FrameTarget, 'frame'> & Partial<FrameTarget>): FrameTarget => ({
  headerBytes: 5,
  frameLength: (bytes, offset) => 1 + bytes.readUInt32BE(offset + 1),
  many: () => 0,
  ...rest,
});

/** What a receiver sees when the bytes come cut at the given places, and it takes up to `atOnce` rows at once. */
function deliver(bytes: Buffer, cuts: readonly number[], atOnce: number): string[] {
  const seen: string[] = [];
  const frames = new Frames(
    target({
      many: (data, start, end) => {
        let at = start;
        for (let i = 0; i < atOnce && data[at] === 0x44 && at + 5 <= end; i++) {
          const until = at + 1 + data.readUInt32BE(at + 1);
          if (until > end) break;
          seen.push(data.toString('hex', at, until));
          at = until;
        }
        return at - start;
      },
      frame: (data, start, end) => seen.push(data.toString('hex', start, end)),
    }),
  );
  let from = 0;
  for (const cut of [...cuts.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    if (cut > from) frames.push(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  return seen;
}

describe('Frames', () => {
  it('delivers the same frames wherever the chunks are cut', () => {
    const message = fc.tuple(fc.constantFrom('D', 'T', 'C', 'N'), fc.uint8Array({ maxLength: 20 }));
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.nat(3),
        (messages, cuts, atOnce) => {
          const bytes = Buffer.concat(messages.map(([type, payload]) => frame(type, payload)));
          const expected = messages.map(([type, payload]) => frame(type, payload).toString('hex'));
          expect(deliver(bytes, cuts, atOnce)).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('holds no more than one large frame and what it came in, however many there are', () => {
    const payload = Buffer.alloc(16 * 1024 * 1024, 'x');
    const whole = frame('D', payload);
    const frames = new Frames(target({ frame: () => undefined }));
    const before = heldMemory();
    let most = 0;
    for (let n = 0; n < 12; n++) {
      // As a socket gives them: each in memory of its own.
      for (let i = 0; i < whole.length; i += 65_536) {
        frames.push(Buffer.from(whole.subarray(i, i + 65_536)));
        const { heapUsed, external } = process.memoryUsage();
        most = Math.max(most, heapUsed + external - before);
      }
    }
    expect(most).toBeLessThan(40 * 1024 * 1024);
  });

  it('puts a large frame together in linear time', () => {
    const payload = Buffer.alloc(64 * 1024 * 1024, 'x');
    const whole = frame('D', payload);
    let length = 0;
    const frames = new Frames(
      target({
        frame: (_, start, end) => {
          length = end - start;
        },
      }),
    );
    const started = performance.now();
    for (let i = 0; i < whole.length; i += 4096) frames.push(whole.subarray(i, i + 4096));
    expect(length).toBe(whole.length);
    // Copying what is there for each of the 16,384 chunks would be 500 GB.
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
