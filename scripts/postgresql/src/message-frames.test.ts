import fc from 'fast-check';
import { MessageFrames } from './message-frames';

const frame = (type: string, payload: Uint8Array) => {
  const bytes = Buffer.alloc(5 + payload.length);
  bytes.write(type, 0, 'latin1');
  bytes.writeUInt32BE(payload.length + 4, 1);
  bytes.set(payload, 5);
  return bytes;
};

const none = () => 0;

/** What a receiver sees when the bytes come cut at the given places, and it takes up to `atOnce` rows at once. */
function deliver(bytes: Buffer, cuts: readonly number[], atOnce: number): string[] {
  const seen: string[] = [];
  const frames = new MessageFrames({
    row: (data, start, end) => seen.push(`D ${data.toString('hex', start, end)}`),
    many: (data, start, end) => {
      let at = start;
      for (let i = 0; i < atOnce && data[at] === 0x44 && at + 5 <= end; i++) {
        const until = at + 1 + data.readUInt32BE(at + 1);
        if (until > end) break;
        seen.push(`D ${data.toString('hex', at + 5, until)}`);
        at = until;
      }
      return at - start;
    },
    other: (whole) => seen.push(whole.toString('hex')),
  });
  let from = 0;
  for (const cut of [...cuts.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    if (cut > from) frames.push(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  return seen;
}

describe('MessageFrames', () => {
  it('delivers the same messages wherever the chunks are cut', () => {
    const message = fc.tuple(fc.constantFrom('D', 'T', 'C', 'N'), fc.uint8Array({ maxLength: 20 }));
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.nat(3),
        (messages, cuts, atOnce) => {
          const bytes = Buffer.concat(messages.map(([type, payload]) => frame(type, payload)));
          const expected = messages.map(([type, payload]) =>
            type === 'D' ? `D ${Buffer.from(payload).toString('hex')}` : frame(type, payload).toString('hex'),
          );
          expect(deliver(bytes, cuts, atOnce)).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('puts a large message together in linear time', () => {
    const payload = Buffer.alloc(64 * 1024 * 1024, 'x');
    const whole = frame('D', payload);
    let length = 0;
    const frames = new MessageFrames({
      row: (_, start, end) => {
        length = end - start;
      },
      many: none,
      other: () => {},
    });
    const started = performance.now();
    for (let i = 0; i < whole.length; i += 4096) frames.push(whole.subarray(i, i + 4096));
    expect(length).toBe(payload.length);
    // Copying what is there for each of the 16,384 chunks would be 500 GB.
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('refuses lengths that no server sends', () => {
    const frames = new MessageFrames({ row: () => {}, many: none, other: () => {} });
    expect(() => frames.push(Buffer.from([0x44, 0xff, 0xff, 0xff, 0xff]))).toThrow(/not a PostgreSQL message/);
    expect(() => frames.push(Buffer.from([0x44, 0, 0, 0, 1]))).toThrow(/not a PostgreSQL message/);
  });
});
