import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBInstance } from '@duckdb/node-api';
import { isLakeFailure, type Lake } from '@ingesta/kit';
import { ApiError } from '../../../errors';
import { type Twin, twinIdentity, twinKey, twinMetadata, twinOf, typesMetadata } from '../twin';
import { twinColumns } from '../twin-columns';
import { type ConvertedTable, csvToParquet } from './convert';
import type { FileCache, HeldFile } from './file-cache';
import { CHUNK_BYTES, type Digest, fileDigest, writeWithDigest } from './file-digest';
import { localCsv } from './local-csv';
import { parquetColumns } from './parquet-columns';

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
    const there = await this.#existing(about);
    if (there) return there;
    const file = await this.hold(about);
    try {
      return await this.#upload(about, file);
    } finally {
      file.release();
    }
  }

  /** When no upload in the background is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#behind);
  }

  async #load(identity: string, about: ConvertedTable): Promise<HeldFile> {
    const parquet = join(this.parts.workFolder, `${randomUUID()}.parquet`);
    try {
      const fetched = await this.#fetchTwin(about, parquet);
      if (fetched) return await this.parts.cache.put(identity, parquet, fetched.sha256);
      await this.#convert(about, parquet);
      const { sha256 } = await fileDigest(parquet);
      const file = await this.parts.cache.put(identity, parquet, sha256);
      this.#uploadBehind(about);
      return file;
    } finally {
      await rm(parquet, { force: true });
    }
  }

  async #fetchTwin(about: ConvertedTable, path: string): Promise<Digest | null> {
    const { lake, warn } = this.parts;
    const head = await lake.head(twinKey(about.database, about.table, about.entry));
    const twin = head && twinOf(about.entry, head);
    const body = twin && (await lake.read(twin.key));
    if (!body) return null;
    const digest = await writeWithDigest(path, body);
    if (digest.sha256 === twin.sha256) return digest;
    await rm(path);
    warn('a twin in the lake is damaged; the CSV is read instead', { key: twin.key });
    return null;
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
        if (digest.value?.sha256 !== entry.sha256) throw gone('was changed since it was published');
        if (outcome.status === 'rejected') throw outcome.reason;
      });
      this.#conversion = turn.catch(() => undefined);
      await turn;
    } finally {
      await rm(path, { force: true });
    }
  }

  /** The query does not wait, and does not fail: another process or `twin` will upload it. */
  #uploadBehind(about: ConvertedTable): void {
    const upload = async () => {
      const file = await this.parts.cache.find(twinIdentity(about.entry));
      if (file) await this.#upload(about, file).finally(file.release);
    };
    const done = upload()
      .catch((error: Error) => {
        const key = twinKey(about.database, about.table, about.entry);
        this.parts.warn('a twin could not be uploaded', { key, cause: error.message });
      })
      .finally(() => this.#behind.delete(done));
    this.#behind.add(done);
  }

  async #upload(about: ConvertedTable, file: HeldFile): Promise<Twin> {
    const identity = twinIdentity(about.entry);
    let upload = this.#uploads.get(identity);
    if (upload === undefined) {
      upload = this.#create(about, file).finally(() => this.#uploads.delete(identity));
      this.#uploads.set(identity, upload);
    }
    return upload;
  }

  async #create(about: ConvertedTable, { path, sha256 }: HeldFile): Promise<Twin> {
    const { entry } = about;
    const key = twinKey(about.database, about.table, entry);
    const types = [...(await parquetColumns(this.parts.instance, path)).values()];
    const metadata = twinMetadata(entry, { sha256, types: typesMetadata(entry, types) ?? '' });
    const options = { contentType: 'application/vnd.apache.parquet', metadata };
    try {
      const { bytes } = await this.parts.lake.create(
        key,
        createReadStream(path, { highWaterMark: CHUNK_BYTES }),
        options,
      );
      return { key, bytes, sha256, columns: twinColumns(entry.columns, types) };
    } catch (error) {
      // Another process was first.
      const there = isLakeFailure(error, 'precondition') && (await this.#existing(about));
      if (there) return there;
      throw error;
    }
  }

  /** The twin that is there. Throws `ApiError` where something else has its key. */
  async #existing(about: ConvertedTable): Promise<Twin | null> {
    const { lake } = this.parts;
    const key = twinKey(about.database, about.table, about.entry);
    const head = await lake.head(key);
    if (head === null) return null;
    const twin = twinOf(about.entry, head);
    if (twin) return twin;
    throw new ApiError('INTERNAL', `${lake.urlOf(key)} is not the twin of ${about.entry.key}`, {
      database: about.database,
      hint: 'Delete that object: nothing but Ingesta writes below _ingesta/. Queries read the CSV meanwhile.',
    });
  }
}
