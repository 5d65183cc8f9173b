import { MAX_RESULT_BYTES, type ScriptEvent } from '@ingesta/kit';
import { heldMemory } from '../../../test/held-memory';
import { ScriptStreams } from './script-streams';

function given() {
  const events: ScriptEvent[] = [];
  let overflows = 0;
  const streams = new ScriptStreams(
    (event) => events.push(event),
    () => {
      overflows += 1;
    },
  );
  return { streams, events, overflows: () => overflows };
}

const event = (message: string) =>
  `${JSON.stringify({ event: 'log', at: '2025-01-02T15:30:45.000Z', level: 'info', message })}\n`;

/** Most memory the process held while `work` ran, over what it held before. */
function growth(work: (watch: () => void) => void): number {
  const before = heldMemory();
  let most = before;
  work(() => {
    most = Math.max(most, heldMemory());
  });
  return most - before;
}

const MiB = 1024 * 1024;

describe('stdout', () => {
  it('is kept to the last byte of the limit, and not one more', () => {
    const { streams, overflows } = given();
    streams.stdout(Buffer.alloc(MAX_RESULT_BYTES - 1, 'a'));
    streams.stdout(Buffer.from('b'));
    expect(overflows()).toBe(0);
    expect(streams.end()).toMatchObject({ overflowed: false });
    expect(streams.end().stdout).toHaveLength(MAX_RESULT_BYTES);
    streams.stdout(Buffer.from('c'));
    streams.stdout(Buffer.from('d'));
    expect(overflows()).toBe(1);
    expect(streams.end().overflowed).toBe(true);
  });

  it('does not keep the chunks, which belong to the reader of the socket', () => {
    const { streams } = given();
    const chunk = Buffer.from('abc');
    streams.stdout(chunk);
    chunk.fill('x');
    expect(streams.end().stdout.toString()).toBe('abc');
  });

  it('takes 1 GiB in bounded memory', () => {
    const { streams, overflows } = given();
    const chunk = Buffer.alloc(MiB);
    const grown = growth((watch) => {
      for (let i = 0; i < 1024; i += 1) {
        streams.stdout(chunk);
        if (i % 256 === 255) watch();
      }
    });
    expect(overflows()).toBe(1);
    expect(grown).toBeLessThan(50 * MiB);
  });

  it('takes 16 MiB of single bytes in bounded memory', () => {
    const { streams } = given();
    const byte = Buffer.from('x');
    const grown = growth((watch) => {
      for (let i = 0; i < MAX_RESULT_BYTES; i += 1) {
        streams.stdout(byte);
        if (i % (4 * MiB) === 0) watch();
      }
    });
    expect(streams.end().stdout).toHaveLength(MAX_RESULT_BYTES);
    expect(grown).toBeLessThan(50 * MiB);
  });
});

describe('stderr', () => {
  it('gives events, however the bytes of a character are cut', () => {
    const bytes = Buffer.from(event('añ€😀'));
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const { streams, events } = given();
      streams.stderr(bytes.subarray(0, cut));
      streams.stderr(bytes.subarray(cut));
      expect(events).toEqual([expect.objectContaining({ message: 'añ€😀' })]);
    }
  });

  it('gives the event of a last line without line end', () => {
    const { streams, events } = given();
    streams.stderr(Buffer.from(event('x').trimEnd()));
    expect(events).toEqual([]);
    expect(streams.end().stderrTail).toBe('');
    expect(events).toHaveLength(1);
  });

  it('makes events of lines that are none, and keeps the last of them', () => {
    const { streams, events } = given();
    for (let i = 0; i < 100; i += 1) streams.stderr(Buffer.from(`line ${i}\n\n  \n${event('x')}{"event":"odd"}\n`));
    const tail = streams.end().stderrTail.split('\n');
    expect(tail).toHaveLength(20);
    expect(tail.at(-2)).toBe('line 99');
    expect(events).toHaveLength(300);
    expect(events.slice(-3)).toEqual([
      { event: 'log', at: expect.any(String), level: 'info', message: 'line 99' },
      expect.objectContaining({ message: 'x' }),
      expect.objectContaining({ level: 'info', message: '{"event":"odd"}' }),
    ]);
  });

  it('cuts a line that never ends, and goes on with the next', () => {
    const { streams, events } = given();
    const chunk = Buffer.alloc(MiB, 'z');
    const grown = growth((watch) => {
      for (let i = 0; i < 512; i += 1) {
        streams.stderr(chunk);
        if (i % 256 === 255) watch();
      }
    });
    streams.stderr(Buffer.from(`\n${event('after')}`));
    expect(events).toEqual([
      expect.objectContaining({ message: 'z'.repeat(64 * 1024) }),
      expect.objectContaining({ message: 'after' }),
    ]);
    expect(streams.end().stderrTail.length).toBeLessThanOrEqual(2000);
    expect(grown).toBeLessThan(10 * MiB);
  });
});
