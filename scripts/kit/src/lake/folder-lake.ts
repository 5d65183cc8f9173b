import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BlockHash } from './block-hash';
import { abortable, abortError, inBlocks } from './blocks';
import { fileError, isMissing, isTaken } from './file-errors';
import { exclusively } from './file-lock';
import { keysBelow } from './folder-keys';
import {
  type CopyOptions,
  type CreatedObject,
  type CreateOptions,
  type Lake,
  LakeError,
  type ObjectHead,
  type ObjectInfo,
} from './lake';
import { makeFolder } from './make-folder';
import {
  copyFile,
  describe,
  etagOf,
  identityOf,
  publish,
  sync,
  syncFolder,
  taken,
  writeMetadata,
} from './object-files';

/** Own working folder at the root: same file system, and no key starts with a dot. */
const OWN = '.lake';
const BLOCK_BYTES = 1024 * 1024;
/** So much goes to the disk while more is written. */
const SYNC_BYTES = 32 * 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The lake in a local folder that exists, shared by any number of processes of one host. An object is written and synced
 * under `.lake/tmp`, then gets its name by link(2), which fails if the name is taken.
 *
 * ETags: small objects by their content; large ones, which are never replaced, by inode, time and size, so that a HEAD
 * reads no data. Metadata is a small file under `.lake/meta`, named after the object's inode, time and size: it is there
 * before the object appears and a lost race cannot overwrite the winner's.
 */
export class FolderLake implements Lake {
  readonly url: string;
  #swept: Promise<void> | undefined;

  constructor(private readonly folder: string) {
    this.url = pathToFileURL(folder).href.replace(/\/$/, '');
  }

  urlOf(key: string): string {
    return pathToFileURL(this.#path(key)).href;
  }

  async create(key: string, body: AsyncIterable<Uint8Array>, options: CreateOptions): Promise<CreatedObject> {
    const path = this.#path(key);
    const signal = options.signal ?? new AbortController().signal;
    const blocks = inBlocks(abortable(body, signal), () => BLOCK_BYTES);
    try {
      // Only what the body throws comes through unchanged; every call on a file is inside `#guard`.
      return await this.#written(async (temporary, file) => {
        const hash = new BlockHash();
        let unsynced = 0;
        let syncing: Promise<void> = Promise.resolve();
        for await (const block of blocks) {
          await Promise.all([hash.update(block), this.#guard(() => file.writeFile(block.data))]);
          unsynced += block.data.length;
          if (unsynced < SYNC_BYTES) continue;
          unsynced = 0;
          await this.#guard(() => syncing);
          // Beside what follows: a disk that is left to the end would be waited for then.
          syncing = file.datasync();
          syncing.catch(() => undefined);
        }
        return this.#guard(async () => {
          await syncing;
          const stored = { ...(await sync(file)), ...(await hash.digest()) };
          const identity = identityOf(await file.stat({ bigint: true }));
          const meta = this.#meta(identity);
          await writeMetadata(meta, options.metadata ?? {});
          try {
            if (signal.aborted) throw abortError(signal);
            await publish(temporary, path, key);
          } catch (error) {
            await rm(meta, { force: true });
            throw error;
          }
          return stored;
        });
      });
    } finally {
      await blocks.return(undefined);
    }
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<{ etag: string }> {
    const path = this.#path(key);
    return this.#written((temporary, file) =>
      this.#guard(async () => {
        await file.writeFile(body);
        const { etag } = await sync(file);
        await publish(temporary, path, key);
        return { etag };
      }),
    );
  }

  async putIfMatch(key: string, body: Uint8Array, etag: string): Promise<{ etag: string }> {
    const path = this.#path(key);
    // 256 locks for all keys: a folder per key would stay for ever.
    const shard = createHash('sha256').update(key).digest('hex').slice(0, 2);
    const lock = join(this.folder, OWN, 'locks', shard);
    return this.#written((temporary, file) =>
      this.#guard(async () => {
        await file.writeFile(body);
        const stored = await sync(file);
        await exclusively(lock, async () => {
          if ((await this.get(key))?.etag !== etag) throw taken(key);
          await rename(temporary, path);
          await syncFolder(dirname(path));
        });
        return { etag: stored.etag };
      }),
    );
  }

  async copy(from: Pick<ObjectInfo, 'key'>, to: string, { metadata, signal }: CopyOptions): Promise<void> {
    const [source, path] = [this.#path(from.key), this.#path(to)];
    await this.#written((temporary, file) =>
      this.#guard(async () => {
        await copyFile(source, temporary).catch((error) => {
          throw isMissing(error) ? taken(from.key) : error;
        });
        await file.sync();
        const meta = this.#meta(identityOf(await file.stat({ bigint: true })));
        await writeMetadata(meta, metadata);
        try {
          if (signal?.aborted) throw abortError(signal);
          const before = await stat(path, { bigint: true }).catch(nullIfMissing);
          await makeFolder(dirname(path));
          await rename(temporary, path);
          if (before) await rm(this.#meta(identityOf(before)), { force: true });
        } catch (error) {
          await rm(meta, { force: true });
          throw error;
        }
        await syncFolder(dirname(path));
      }),
    );
  }

  async get(key: string): Promise<{ body: Buffer; etag: string } | null> {
    return this.#opened(key, async (file) => {
      const body = await file.readFile();
      return { body, etag: etagOf(await file.stat({ bigint: true }), body) };
    });
  }

  async read(key: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | null> {
    const file = await this.#open(key);
    if (!file) return null;
    const stream = file.createReadStream({ highWaterMark: 256 * 1024 });
    return signal ? abortable(this.#guarded(stream), signal) : this.#guarded(stream);
  }

  async head(key: string): Promise<ObjectHead | null> {
    return this.#opened(key, async (file) => {
      const info = await describe(key, file);
      const identity = identityOf(await file.stat({ bigint: true }));
      const metadata = await readFile(this.#meta(identity), 'utf8').catch(nullIfMissing);
      return { ...info, metadata: metadata === null ? null : JSON.parse(metadata), crc32: null };
    });
  }

  async *list(prefix: string, after = ''): AsyncGenerator<ObjectInfo> {
    for await (const key of this.#guarded(keysBelow(this.folder, prefix, after))) {
      const info = await this.#opened(key, (file) => describe(key, file));
      if (info) yield info;
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await this.#guard(async () => {
      const facts = await stat(path, { bigint: true }).catch(nullIfMissing);
      if (!facts?.isFile()) return;
      await rm(path, { force: true });
      await rm(this.#meta(identityOf(facts)), { force: true });
    });
  }

  /** A half-written file is swept by itself after a day. */
  async *openUploads(): AsyncGenerator<never> {}

  async abortUpload(): Promise<void> {}

  async check(): Promise<void> {
    await this.#guard(async () => (await opendir(this.folder)).close());
  }

  async close(): Promise<void> {}

  /** Where the object lies. A key that would leave the folder, or meet the lake's own files, is a bug of the caller. */
  #path(key: string): string {
    if (key.split('/').some((name) => name === '' || name.startsWith('.')) || /[\\\0]/.test(key))
      throw new LakeError(
        'denied',
        `not a key of a lake: ${JSON.stringify(key)}`,
        'Report this: keys come from keys.ts.',
      );
    return join(this.folder, key);
  }

  #meta(identity: string): string {
    return join(this.folder, OWN, 'meta', `${identity}.json`);
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(error, this.folder);
    }
  }

  /** Runs `work` with a new temporary file, which is gone afterwards. */
  async #written<T>(work: (temporary: string, file: FileHandle) => Promise<T>): Promise<T> {
    const temporary = join(this.folder, OWN, 'tmp', randomUUID());
    this.#swept ??= this.#guard(() => this.#sweep());
    await this.#swept.catch((error) => {
      this.#swept = undefined;
      throw error;
    });
    const file = await this.#guard(() => open(temporary, 'wx+', 0o644));
    try {
      return await work(temporary, file);
    } finally {
      await file.close().catch(() => {});
      await rm(temporary, { force: true }).catch(() => {});
    }
  }

  /** Makes the working folder and removes what dead processes left in it. The lake's folder itself must be there. */
  async #sweep(): Promise<void> {
    const temporaries = join(this.folder, OWN, 'tmp');
    for (const folder of [join(this.folder, OWN), temporaries, join(this.folder, OWN, 'meta')])
      await mkdir(folder).catch((error) => {
        if (!isTaken(error)) throw error;
      });
    for (const name of await readdir(temporaries)) {
      const path = join(temporaries, name);
      const left = await stat(path).catch(nullIfMissing);
      if (left && Date.now() - left.mtimeMs > DAY_MS) await rm(path, { force: true });
    }
  }

  /** The object's file, or null if there is none; a folder is none. */
  async #open(key: string): Promise<FileHandle | null> {
    const path = this.#path(key);
    return this.#guard(async () => {
      const file = await open(path).catch(nullIfMissing);
      if (!file || (await file.stat()).isFile()) return file;
      await file.close();
      return null;
    });
  }

  async #opened<T>(key: string, work: (file: FileHandle) => Promise<T>): Promise<T | null> {
    const file = await this.#open(key);
    if (!file) return null;
    return this.#guard(() => work(file).finally(() => file.close()));
  }

  async *#guarded<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* items;
    } catch (error) {
      throw fileError(error, this.folder);
    }
  }
}

const nullIfMissing = (error: unknown): null => {
  if (isMissing(error)) return null;
  throw error;
};
