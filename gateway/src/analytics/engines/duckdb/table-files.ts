import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBInstance } from '@duckdb/node-api';
import { isLakeFailure, type Lake, type ObjectHead } from '@ingesta/kit';
import { ApiError } from '../../../errors';
import { type Twin, twinIdentity, twinMetadata, typesMetadata } from '../twin';
import { twinColumns } from '../twin-columns';
import { type TwinPlace, twinPlace } from '../twin-place';
import { type ConvertedTable, csvToParquet } from './convert';
import type { FileCache, HeldFile } from './file-cache';
import { fileDigest, writeWithDigest } from './file-digest';
import { localCsv } from './local-csv';
import { parquetColumns } from './parquet-columns';
import { uploadTwin } from './upload-twin';

export interface TableFilesParts {
  lake: Lake;
  cache: FileCache;
  instance: DuckDBInstance;
  workFolder: string;
  memoryMiB: number;
  /** Of what went wrong and was helped without the caller. */
  warn: (message: string, fields: Record<string, string>) => void;
}

/**
 * The local Parquet file of each committed object: from the cache, else from its twin in the lake, else made from the CSV
 * (and then uploaded as the twin, in the background). Whatever is asked for twice at a time is fetched once.
 */
export class TableFiles {
  readonly #loads = new Map<string, Promise<HeldFile>>();
  readonly #uploads = new Map<string, Promise<Twin>>();
  readonly #behind = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  /** One conversion at a time: each may use the whole memory. */
  #conversion: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: TableFilesParts) {}

  /**
   * The file, held for the caller. Throws `LakeError`, and `ApiError` `DATA_NOT_AVAILABLE` for an object that is gone or
   * is not what the manifest says.
   */
  async hold(about: ConvertedTable): Promise<HeldFile> {
    const identity = twinIdentity(about.entry);
    for (;;) {
      const found = await this.parts.cache.find(identity);
      if (found) return found;
      let load = this.#loads.get(identity);
      if (load === undefined) {
        load = this.#load(identity, about).finally(() => this.#loads.delete(identity));
        this.#loads.set(identity, load);
        return load;
      }
      // Held by the one who loads; look it up for a hold of one's own.
      await load;
    }
  }

  /** The twin in the lake; made unless it is there. */
  async twin(about: ConvertedTable): Promise<Twin> {
    const { twin } = await this.#place(about);
    if (twin) return twin;
    const file = await this.hold(about);
    try {
      return await this.#upload(about, file);
    } finally {
      file.release();
    }
  }

  /** Reads the twin in the lake, and puts another one in its place where it is damaged: whether it was. */
  async repair(about: ConvertedTable): Promise<boolean> {
    const { head, twin } = await this.#place(about);
    const path = join(this.parts.workFolder, `${randomUUID()}.parquet`);
    try {
      if (twin === null || (await this.#download(twin, path)) !== 'damaged') return false;
    } finally {
      await rm(path, { force: true });
    }
    const file = await this.hold(about);
    try {
      await this.#upload(about, file, head);
    } finally {
      file.release();
    }
    return true;
  }

  /** When no upload is under way, waited for or not. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#behind, ...this.#uploads.values()]);
  }

  /** Aborts the uploads, so that nothing of them stays in the lake; there will be no others. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the query engine is ended'));
    await this.settled();
  }

  async #load(identity: string, about: ConvertedTable): Promise<HeldFile> {
    const parquet = join(this.parts.workFolder, `${randomUUID()}.parquet`);
    try {
      const { head, twin } = await this.#place(about);
      const found = twin ? await this.#download(twin, parquet) : 'gone';
      if (twin && found === 'right') return await this.parts.cache.put(identity, parquet, twin.sha256);
      await this.#convert(about, parquet);
      const { sha256 } = await fileDigest(parquet);
      const file = await this.parts.cache.put(identity, parquet, sha256);
      this.#uploadBehind(about, found === 'damaged' ? head : null);
      return file;
    } finally {
      await rm(parquet, { force: true });
    }
  }

  #place({ database, table, entry }: ConvertedTable): Promise<TwinPlace> {
    return twinPlace(this.parts.lake, database, table, entry);
  }

  async #download({ key, sha256 }: Twin, path: string): Promise<'right' | 'damaged' | 'gone'> {
    const { lake, warn } = this.parts;
    const body = await lake.read(key);
    if (!body) return 'gone';
    if ((await writeWithDigest(path, body)).sha256 === sha256) return 'right';
    await rm(path);
    warn('a twin in the lake is damaged; it is made anew from the CSV', { key });
    return 'damaged';
  }

  async #convert(about: ConvertedTable, parquet: string): Promise<void> {
    const { lake, workFolder, instance, memoryMiB } = this.parts;
    const { database, entry } = about;
    const path = join(workFolder, `${randomUUID()}.csv`);
    const gone = (what: string) =>
      new ApiError('DATA_NOT_AVAILABLE', `${database}.${about.table} cannot be read: ${entry.url} ${what}`, {
        database,
        hint: `POST /api/ingesta/${database} exports it anew.`,
      });
    try {
      const csv = await localCsv(lake, entry.key, path);
      if (csv === null) throw gone('is not in the lake any more');
      const turn = this.#conversion.then(async () => {
        const converted = csvToParquet(instance, { path, memoryMiB }, parquet, about);
        // A file that is another one is told as such, whatever DuckDB said of it.
        const [digest, outcome] = await Promise.allSettled([csv.digest(), converted]);
        if (digest.status === 'rejected') throw digest.reason;
        const isSame = digest.value.sha256 === entry.sha256 && (await csv.isUnchanged());
        if (!isSame) throw gone('was changed since it was published');
        if (outcome.status === 'rejected') throw outcome.reason;
      });
      this.#conversion = turn.catch(() => undefined);
      await turn;
    } finally {
      await rm(path, { force: true });
    }
  }

  /** The query does not wait, and does not fail: another process or `twin` will upload it. */
  #uploadBehind(about: ConvertedTable, damaged: ObjectHead | null): void {
    const upload = async () => {
      const file = await this.parts.cache.find(twinIdentity(about.entry));
      if (file) await this.#upload(about, file, damaged).finally(file.release);
    };
    const done = upload()
      .catch((error: Error) => {
        if (this.#stopped.signal.aborted) return;
        const { database, table } = about;
        this.parts.warn('a twin could not be uploaded', { database, table, cause: error.message });
      })
      .finally(() => this.#behind.delete(done));
    this.#behind.add(done);
  }

  async #upload(about: ConvertedTable, file: HeldFile, damaged: ObjectHead | null = null): Promise<Twin> {
    const which = `${twinIdentity(about.entry)} ${damaged?.etag ?? ''}`;
    let upload = this.#uploads.get(which);
    if (upload === undefined) {
      upload = this.#put(about, file, damaged).finally(() => this.#uploads.delete(which));
      this.#uploads.set(which, upload);
    }
    return upload;
  }

  /** Puts the file where the twin belongs, unless there is one which is not the damaged one. */
  async #put(about: ConvertedTable, { path, sha256 }: HeldFile, damaged: ObjectHead | null): Promise<Twin> {
    const { entry } = about;
    const { key, head, twin } = await this.#place(about);
    if (twin && head?.etag !== damaged?.etag) return twin;
    const types = [...(await parquetColumns(this.parts.instance, path)).values()];
    const metadata = twinMetadata(entry, { sha256, types: typesMetadata(entry, types) ?? '' });
    try {
      const { signal } = this.#stopped;
      const bytes = await uploadTwin(this.parts.lake, { path, sha256, metadata }, key, head !== null, signal);
      return { key, bytes, sha256, columns: twinColumns(entry.columns, types) };
    } catch (error) {
      // Another process was first.
      const there = isLakeFailure(error, 'precondition') && (await this.#place(about)).twin;
      if (there) return there;
      throw error;
    }
  }
}
