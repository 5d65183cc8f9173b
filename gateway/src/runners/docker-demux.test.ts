import { DockerDemux } from './docker-demux';

const frame = (type: number, text: string | Buffer) => {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
};

function demuxed(chunks: readonly Buffer[]) {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const demux = new DockerDemux(
    (chunk) => out.push(Buffer.from(chunk)),
    (chunk) => err.push(Buffer.from(chunk)),
  );
  for (const chunk of chunks) demux.write(chunk);
  return { out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString(), complete: demux.complete };
}

describe('DockerDemux', () => {
  const stream = Buffer.concat([frame(1, 'häl'), frame(2, 'oops'), frame(1, ''), frame(2, ''), frame(1, 'lo')]);
  const whole = { out: 'hällo', err: 'oops', complete: true };

  it('takes frames apart however the stream is cut into two', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      expect(demuxed([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(whole);
    }
  });

  it('takes frames apart byte by byte', () => {
    expect(demuxed(Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('takes a 64 KiB chunk of tiny frames without recursion', () => {
    const tiny = frame(1, 'x');
    const count = Math.floor(65_536 / tiny.length);
    expect(demuxed([Buffer.concat(Array<Buffer>(count).fill(tiny))]).out).toHaveLength(count);
  });

  it('notices a stream that ends inside a frame, wherever', () => {
    const last = frame(1, 'abc');
    for (let cut = 1; cut < last.length; cut += 1) {
      expect(demuxed([frame(1, 'x'), last.subarray(0, cut)]).complete).toBe(false);
    }
    expect(demuxed([]).complete).toBe(true);
  });
});
