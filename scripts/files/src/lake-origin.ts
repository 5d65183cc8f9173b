import { ATTEMPT_METADATA, configError, type Lake, type ObjectInfo } from '@ingesta/kit';
import { FileChanged, type FoundFile, type Origin } from './origin';

/** What the key of every export contains. */
const TIMESTAMP = /\d{8}_\d{6}/;

/** Files that were put into the lake under a prefix of their own. */
export class LakeOrigin implements Origin {
  readonly url: string;
  readonly #prefix: string;

  constructor(
    readonly lake: Lake,
    prefix: string,
  ) {
    this.url = lake.urlOf(prefix);
    this.#prefix = `${prefix}/`;
  }

  async *list(): AsyncGenerator<FoundFile, void, undefined> {
    for await (const object of this.lake.list(this.#prefix)) {
      const path = object.key.slice(this.#prefix.length);
      if (path.split('/').some((name) => name === '' || name.startsWith('.'))) continue;
      await this.#refuseOwn(object);
      yield { path, bytes: object.bytes, version: versionOf(object) };
    }
  }

  async *read(file: FoundFile, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const body = await this.lake.read(this.#prefix + file.path, signal);
    if (body === null) throw new FileChanged();
    for await (const chunk of body) {
      signal.throwIfAborted();
      yield chunk;
    }
  }

  async isUnchanged(file: FoundFile): Promise<boolean> {
    const head = await this.lake.head(this.#prefix + file.path);
    return head !== null && versionOf(head) === file.version;
  }

  /** The lake is the job's. */
  async close(): Promise<void> {}

  /** A prefix where exports go would bring every run's output in as the next one's tables. */
  async #refuseOwn({ key }: ObjectInfo): Promise<void> {
    if (!TIMESTAMP.test(key)) return;
    const head = await this.lake.head(key);
    if (head?.metadata?.[ATTEMPT_METADATA] === undefined) return;
    const hint = 'Put delivered files under a prefix that is not the name of a source, and name that one.';
    throw configError(`FILES_LAKE_PREFIX holds exports of Ingesta itself: ${key}`, hint);
  }
}

/** HEAD tells the time in whole seconds, a listing in milliseconds. */
const versionOf = ({ etag, bytes, modified }: ObjectInfo): string =>
  [etag, bytes, Math.floor(modified.getTime() / 1000)].join(' ');
