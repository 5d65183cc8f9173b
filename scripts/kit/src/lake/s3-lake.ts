import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BlockHash } from './block-hash';
import { abortable, abortError, inBlocks } from './blocks';
import type { CopyOptions, CreatedObject, CreateOptions, Lake, ObjectHead, ObjectInfo } from './lake';
import { partSize } from './part-plan';
import { hasChecksums, type S3LakeSettings, s3Clients } from './s3-clients';
import { pastConflicts } from './s3-conflict';
import { copyObject } from './s3-copy';
import { isAbsent, toLakeError } from './s3-errors';
import { type Complete, multipart } from './s3-multipart';
import type { S3Storage } from './s3-storage';

type Stored = { bytes: number; etag: string };

/** The lake in an S3 bucket. */
export class S3Lake implements Lake {
  readonly url: string;
  readonly #settings: S3LakeSettings;
  readonly #root: string;
  readonly #storage: S3Storage;
  readonly #checksums: boolean;
  readonly #client: S3Client;
  /** For conditional records: the SDK's retry of a write that did succeed would see 412 on its own work. */
  readonly #once: S3Client;

  constructor(settings: S3LakeSettings) {
    const { bucket, prefix } = settings;
    this.#settings = settings;
    this.#storage = settings.storage ?? { every: {}, data: {} };
    this.#root = prefix && `${prefix}/`;
    this.#checksums = hasChecksums(settings);
    this.url = `s3://${[bucket, prefix].filter(Boolean).join('/')}`;
    [this.#client, this.#once] = s3Clients(settings);
  }

  urlOf(key: string): string {
    return `${this.url}/${key}`;
  }

  async create(key: string, body: AsyncIterable<Uint8Array>, options: CreateOptions): Promise<CreatedObject> {
    const failure = new AbortController();
    const signal = AbortSignal.any([failure.signal, ...(options.signal ? [options.signal] : [])]);
    const stop = { signal, abort: (reason: unknown) => failure.abort(reason) };
    const blocks = inBlocks(abortable(body, signal), partSize);
    const hash = new BlockHash(this.#checksums);
    const metadata = options.metadata ?? {};
    const object = this.#data(key, { ...options, metadata });
    // From here on the abort signal comes too late: it could not tell whether the object is there.
    const commit = (bytes: number, complete: Complete) => {
      if (signal.aborted) throw abortError(signal);
      return this.#settled(key, bytes, metadata, complete);
    };
    try {
      const first = (await blocks.next()).value;
      if (!first) throw new Error('inBlocks yields at least one block');
      if (first.last && !options.inParts) {
        await hash.update(first);
        const put = new PutObjectCommand({ ...object, Body: first.data, IfNoneMatch: '*' });
        return { ...(await commit(first.data.length, () => this.#client.send(put))), ...(await hash.digest()) };
      }
      const target = {
        client: this.#client,
        object,
        checksums: this.#checksums,
        call: this.#call.bind(this),
        hash,
        onUpload: options.onUpload ?? (async () => undefined),
      };
      return { ...(await multipart(target, first, blocks, stop, commit)), ...(await hash.digest()) };
    } finally {
      await blocks.return(undefined);
    }
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<{ etag: string }> {
    return this.#putRecord(key, body, { IfNoneMatch: '*' });
  }

  async putIfMatch(key: string, body: Uint8Array, etag: string): Promise<{ etag: string }> {
    return this.#putRecord(key, body, { IfMatch: etag });
  }

  async copy(from: Pick<ObjectInfo, 'key' | 'bytes'>, to: string, options: CopyOptions): Promise<void> {
    const { signal = new AbortController().signal } = options;
    const source = { bucket: this.#settings.bucket, from: this.#root + from.key, bytes: from.bytes };
    const copy = { client: this.#client, ...source, object: this.#data(to, options), signal };
    await this.#call('s3:PutObject', () => copyObject(copy), signal);
  }

  async get(key: string): Promise<{ body: Buffer; etag: string } | null> {
    const command = new GetObjectCommand(this.#at(key));
    return this.#call('s3:GetObject', async () => {
      const answer = await this.#client.send(command).catch(nullIfAbsent);
      return answer && { body: Buffer.from(await answer.Body!.transformToByteArray()), etag: answer.ETag! };
    });
  }

  async read(key: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | null> {
    const command = new GetObjectCommand(this.#at(key));
    const options = signal ? { abortSignal: signal } : {};
    const send = () => this.#client.send(command, options).catch(nullIfAbsent);
    const answer = await this.#call('s3:GetObject', send, signal);
    return answer && this.#chunks(answer.Body as Readable, signal);
  }

  async head(key: string): Promise<ObjectHead | null> {
    const mode = this.#checksums ? { ChecksumMode: 'ENABLED' as const } : {};
    const command = new HeadObjectCommand({ ...this.#at(key), ...mode });
    const answer = await this.#call('s3:GetObject', () => this.#client.send(command).catch(nullIfAbsent));
    if (!answer) {
      // A HEAD has no body to tell a missing object from a missing bucket.
      await this.check();
      return null;
    }
    const { ContentLength: bytes, ETag: etag, LastModified: modified, Metadata: metadata } = answer;
    // A composite one is a checksum of the parts' checksums.
    const crc32 = answer.ChecksumType === 'COMPOSITE' ? null : (answer.ChecksumCRC32 ?? null);
    return { key, bytes: bytes!, etag: etag!, modified: modified!, metadata: metadata ?? {}, crc32 };
  }

  async *list(prefix: string, after?: string): AsyncGenerator<ObjectInfo> {
    const Prefix = this.#root + prefix;
    const StartAfter = after === undefined ? undefined : this.#root + after;
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.#settings.bucket,
        Prefix,
        StartAfter,
        ContinuationToken,
      });
      const page = await this.#call('s3:ListBucket', () => this.#client.send(command));
      for (const { Key, Size, ETag, LastModified } of page.Contents ?? [])
        yield { key: Key!.slice(this.#root.length), bytes: Size!, etag: ETag!, modified: LastModified! };
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
  }

  async delete(key: string): Promise<void> {
    await this.#call('s3:DeleteObject', () => this.#client.send(new DeleteObjectCommand(this.#at(key))));
  }

  async *openUploads(prefix: string): AsyncGenerator<{ key: string; uploadId: string }> {
    const { bucket: Bucket } = this.#settings;
    let from: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> = {};
    do {
      const command = new ListMultipartUploadsCommand({ Bucket, Prefix: this.#root + prefix, ...from });
      const page: ListMultipartUploadsCommandOutput = await this.#call('s3:ListBucketMultipartUploads', () =>
        this.#client.send(command),
      );
      for (const { Key, UploadId } of page.Uploads ?? [])
        yield { key: Key!.slice(this.#root.length), uploadId: UploadId! };
      from = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : {};
    } while (from.KeyMarker);
  }

  async abortUpload(key: string, UploadId: string): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#at(key), UploadId });
    const send = () => this.#client.send(command).catch(nullIfAbsent);
    await this.#call('s3:AbortMultipartUpload', send);
  }

  async check(): Promise<void> {
    const command = new ListObjectsV2Command({ Bucket: this.#settings.bucket, Prefix: this.#root, MaxKeys: 1 });
    await this.#call('s3:ListBucket', () => this.#client.send(command));
  }

  async close(): Promise<void> {
    this.#client.destroy();
    this.#once.destroy();
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#settings.bucket, Key: this.#root + key };
  }

  /** An object that is to be written, with how data is stored. */
  #data(key: string, { contentType, metadata }: CopyOptions) {
    const { every, data } = this.#storage;
    return { ...this.#at(key), ContentType: contentType, Metadata: { ...metadata }, ...every, ...data };
  }

  async #call<T>(permission: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted) throw abortError(signal);
      const { bucket, endpoint } = this.#settings;
      throw toLakeError(error, { bucket, endpoint, permission });
    }
  }

  async #putRecord(key: string, body: Uint8Array, condition: { IfMatch?: string; IfNoneMatch?: string }) {
    const command = new PutObjectCommand({
      ...this.#at(key),
      ...condition,
      ...this.#storage.every,
      Body: body,
      ContentType: 'application/json',
    });
    const answer = await this.#call('s3:PutObject', () => this.#once.send(command));
    return { etag: answer.ETag! };
  }

  /** Runs `complete`; where it fails, looks whether the object is there as ours: an answer may have been lost. */
  async #settled(key: string, bytes: number, metadata: Record<string, string>, complete: Complete): Promise<Stored> {
    try {
      const { ETag } = await this.#call('s3:PutObject', () => pastConflicts(complete));
      return { bytes, etag: ETag! };
    } catch (error) {
      const own = Object.entries(metadata);
      const found = own.length === 0 ? null : await this.head(key).catch(() => null);
      if (found?.bytes === bytes && own.every(([name, value]) => found.metadata?.[name.toLowerCase()] === value))
        return { bytes, etag: found.etag };
      throw error;
    }
  }

  async *#chunks(body: Readable, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      await this.#call('s3:GetObject', () => Promise.reject(error), signal);
    }
  }
}

const nullIfAbsent = (error: unknown): null => {
  if (isAbsent(error)) return null;
  throw error;
};
