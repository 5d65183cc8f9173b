import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@ingesta/kit';
import { fileDigest } from './file-digest';

/** A cached file that stays where it is until it is released. */
export interface HeldFile {
  path: string;
  /** Lower-case hex SHA-256 of its content. */
  sha256: string;
  release(): void;
}

/** `<identity>.<sha256 of the content>.parquet`: the name proves the content. */
const NAME = /^([0-9a-f]{64})\.([0-9a-f]{64})\.parquet$/;

/** Use is noted this often at most. */
const TOUCH_MS = 60_000;

/**
 * Parquet files on disk, by identity. Any number of processes may share the folder: files appear whole by rename, and
 * carry their digest in their name. A file is checked against it when this process first meets it, and again whenever
 * it was touched; a wrong one is removed. The files used longest ago make room for new ones; those held here stay, so
 * that the bound may be exceeded while queries read more than it.
 */
export class FileCache {
  /** Size and time of the files whose content was found right. */
  readonly #checked = new Map<string, string>();
  readonly #held = new Map<string, number>();

  constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
  ) {}

  /** The file of an identity, or null. */
  async find(identity: string): Promise<HeldFile | null> {
    for (const name of await this.#names()) {
      if (!name.startsWith(`${identity}.`)) continue;
      const held = this.#hold(name);
      if (await this.#isRight(name)) return held;
      held.release();
    }
    return null;
  }

  /** Takes a finished file of the same file system in, and makes room. */
  async put(identity: string, temporary: string, sha256: string): Promise<HeldFile> {
    const name = `${identity}.${sha256}.parquet`;
    const held = this.#hold(name);
    await makeFolder(this.folder);
    await rename(temporary, held.path);
    this.#checked.set(name, await this.#mark(held.path));
    await this.#makeRoom();
    return held;
  }

  #hold(name: string): HeldFile {
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
    let released = false;
    return {
      path: join(this.folder, name),
      sha256: NAME.exec(name)![2]!,
      release: () => {
        if (released) return;
        released = true;
        const left = this.#held.get(name)! - 1;
        if (left === 0) this.#held.delete(name);
        else this.#held.set(name, left);
      },
    };
  }

  async #isRight(name: string): Promise<boolean> {
    const path = join(this.folder, name);
    try {
      const before = await this.#mark(path);
      if (this.#checked.get(name) !== before) {
        const { sha256 } = await fileDigest(path);
        if (sha256 !== NAME.exec(name)?.[2]) {
          await rm(path, { force: true });
          return false;
        }
      }
      this.#checked.set(name, await this.#touch(path, before));
      return true;
    } catch (error) {
      // Another process made room.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  async #touch(path: string, mark: string): Promise<string> {
    const now = new Date();
    if (now.getTime() - (await stat(path)).mtimeMs < TOUCH_MS) return mark;
    await utimes(path, now, now);
    return this.#mark(path);
  }

  async #mark(path: string): Promise<string> {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  }

  async #makeRoom(): Promise<void> {
    const files = await Promise.all(
      (await this.#names()).map(async (name) => {
        const path = join(this.folder, name);
        const facts = await stat(path).catch(() => null);
        return facts ? [{ name, path, bytes: facts.size, used: facts.mtimeMs }] : [];
      }),
    );
    const oldestFirst = files.flat().sort((left, right) => left.used - right.used);
    let bytes = oldestFirst.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of oldestFirst) {
      if (bytes <= this.maxBytes) return;
      if (this.#held.has(file.name)) continue;
      await rm(file.path, { force: true });
      this.#checked.delete(file.name);
      bytes -= file.bytes;
    }
  }

  async #names(): Promise<string[]> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => NAME.test(name));
  }
}
