import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Block } from './blocks';

/** What the thread is asked: hash these bytes as part of a stream, and by themselves; or end the stream (`memory` null). */
interface Question {
  stream: number;
  memory: SharedArrayBuffer | null;
  length: number;
  alone: boolean;
}

/** Runs in the thread: takes questions in order, answers each with a hex digest (empty where none was asked for). */
const PROGRAM = `
const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
const streams = new Map();
parentPort.on('message', ({ stream, memory, length, alone }) => {
  const whole = streams.get(stream) ?? createHash('sha256');
  streams.set(stream, whole);
  if (memory === null) {
    streams.delete(stream);
    parentPort.postMessage(whole.digest('hex'));
    return;
  }
  const block = Buffer.from(memory, 0, length);
  whole.update(block);
  parentPort.postMessage(alone ? createHash('sha256').update(block).digest('hex') : '');
});
`;

interface Waiting {
  resolve(digest: string): void;
  reject(error: unknown): void;
}

/** One thread for all streams of the process; it holds neither the process nor any block. */
class HashThread {
  readonly #worker = new Worker(PROGRAM, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
  });
  readonly #waiting: Waiting[] = [];

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (digest: string) => this.#waiting.shift()?.resolve(digest));
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  ask(question: Question): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(question);
    });
  }
}

const digestOf = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

let thread: HashThread | undefined;
let streams = 0;

/**
 * SHA-256 of an object that goes out in blocks, computed in a thread of its own while a block is written: hashing costs
 * about as much time as writing. An object of one block is hashed on the spot.
 */
export class BlockHash {
  readonly #stream = streams++;
  #blocks = 0;
  #only: string | null = null;

  /** Hashes the next block, which must not change meanwhile. */
  async update({ data, last }: Block): Promise<void> {
    if (this.#isOnly(last)) this.#only = digestOf(data);
    else await this.#ask(data, false);
  }

  /** The same; answers the block's own digest, too. */
  async updateWithDigest({ data, last }: Block): Promise<string> {
    if (!this.#isOnly(last)) return this.#ask(data, true);
    this.#only = digestOf(data);
    return this.#only;
  }

  /** Of all blocks; once each of them is hashed. */
  async digest(): Promise<string> {
    return this.#only ?? thread!.ask({ stream: this.#stream, memory: null, length: 0, alone: false });
  }

  #isOnly(last: boolean): boolean {
    this.#blocks++;
    return this.#blocks === 1 && last;
  }

  #ask(block: Buffer, alone: boolean): Promise<string> {
    thread ??= new HashThread();
    const { buffer, byteOffset, length } = block;
    if (!(buffer instanceof SharedArrayBuffer) || byteOffset > 0)
      throw new Error('A block has shared memory of its own');
    return thread.ask({ stream: this.#stream, memory: buffer, length, alone });
  }
}
