import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import type { Block } from './blocks';

/**
 * What the thread is asked: hash these bytes as part of a stream, and by themselves; or end the stream (`memory` null).
 * `crc`: count the stream's CRC-32, too.
 */
interface Question {
  stream: number;
  memory: SharedArrayBuffer | null;
  length: number;
  alone: boolean;
  crc: boolean;
}

/** Digests of a whole object. */
export interface ObjectDigests {
  /** Lower-case hex. */
  sha256: string;
  /** Base64 of the big-endian number, as S3 writes it; null where it was not asked for. */
  crc32: string | null;
}

/**
 * Runs in the thread: takes questions in order, answers each with a hex digest (empty where none was asked for), at a
 * stream's end with the SHA-256 and the CRC-32 of the whole.
 */
const PROGRAM = `
const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
const { crc32 } = require('node:zlib');
const streams = new Map();
parentPort.on('message', ({ stream, memory, length, alone, crc }) => {
  const whole = streams.get(stream) ?? { sha256: createHash('sha256'), crc32: 0 };
  streams.set(stream, whole);
  if (memory === null) {
    streams.delete(stream);
    parentPort.postMessage(whole.sha256.digest('hex') + ' ' + whole.crc32);
    return;
  }
  const block = Buffer.from(memory, 0, length);
  whole.sha256.update(block);
  if (crc) whole.crc32 = crc32(block, whole.crc32);
  parentPort.postMessage(alone ? createHash('sha256').update(block).digest('hex') : '');
});
`;

interface Waiting {
  resolve(digest: string): void;
  reject(error: unknown): void;
}

/**
 * One thread for all streams of the process; it holds the process only while somebody waits for it, and never a block.
 * With it end the streams that began there: what they were is lost. The next one begins on another.
 */
class HashThread {
  readonly #worker = new Worker(PROGRAM, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
  });
  readonly #waiting: Waiting[] = [];
  #failure: Error | null = null;

  constructor() {
    this.#worker.on('message', (digest: string) => {
      this.#waiting.shift()?.resolve(digest);
      if (this.#waiting.length === 0) this.#worker.unref();
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', (code) => this.#end(new Error(`The thread that hashes ended with ${code}`)));
  }

  ask(question: Question): Promise<string> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(question);
    });
  }

  #end(error: Error): void {
    this.#failure ??= error;
    if (thread === this) thread = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

const digestOf = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

function base64Of(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}

let thread: HashThread | undefined;
let streams = 0;

/**
 * SHA-256 of an object that goes out in blocks, and its CRC-32 where `withCrc32` says so, computed in a thread of its own
 * while a block is written: hashing costs about as much time as writing. An object of one block is hashed on the spot.
 */
export class BlockHash {
  readonly #stream = streams++;
  #thread: HashThread | undefined;
  #blocks = 0;
  #only: ObjectDigests | null = null;

  constructor(private readonly withCrc32 = false) {}

  /** Hashes the next block, which must not change meanwhile. */
  async update({ data, last }: Block): Promise<void> {
    if (this.#isOnly(last)) this.#hashOnly(data);
    else await this.#ask(data, false);
  }

  /** The same; answers the block's own digest, too. */
  async updateWithDigest({ data, last }: Block): Promise<string> {
    if (!this.#isOnly(last)) return this.#ask(data, true);
    return this.#hashOnly(data).sha256;
  }

  /** Of all blocks; once each of them is hashed. */
  async digest(): Promise<ObjectDigests> {
    if (this.#only) return this.#only;
    const told = await this.#thread!.ask({ stream: this.#stream, memory: null, length: 0, alone: false, crc: false });
    const [sha256, crc] = told.split(' ') as [string, string];
    return { sha256, crc32: this.withCrc32 ? base64Of(Number(crc)) : null };
  }

  #hashOnly(data: Buffer): ObjectDigests {
    this.#only = { sha256: digestOf(data), crc32: this.withCrc32 ? base64Of(crc32(data)) : null };
    return this.#only;
  }

  #isOnly(last: boolean): boolean {
    this.#blocks++;
    return this.#blocks === 1 && last;
  }

  #ask(block: Buffer, alone: boolean): Promise<string> {
    thread ??= new HashThread();
    this.#thread ??= thread;
    const { buffer, byteOffset, length } = block;
    if (!(buffer instanceof SharedArrayBuffer) || byteOffset > 0)
      throw new Error('A block has shared memory of its own');
    return this.#thread.ask({ stream: this.#stream, memory: buffer, length, alone, crc: this.withCrc32 });
  }
}
