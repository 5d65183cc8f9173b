/** An object's facts as the store tells them. */
export interface ObjectInfo {
  key: string;
  bytes: number;
  etag: string;
  modified: Date;
}

/** `ObjectInfo` with what only a HEAD tells. */
export interface ObjectHead extends ObjectInfo {
  /**
   * User metadata given at creation, keys in lower case. Null where the store cannot have any: a file that another
   * program put into a folder lake.
   */
  metadata: Readonly<Record<string, string>> | null;
  /** CRC-32 of the whole object as the store itself counts it, base64 as in S3; null where it offers none. */
  crc32: string | null;
}

export interface CreateOptions {
  contentType: string;
  metadata?: Readonly<Record<string, string>>;
  /** Told of a multipart upload before its first part goes out, so that somebody can abort it where we cannot any more. */
  onUpload?: (uploadId: string) => Promise<void>;
  /** Goes the way of a large object even if it is small; only to find out how a store behaves. */
  inParts?: boolean;
  /** Aborting it aborts the upload: nothing stays under the key, no half-done multipart either. */
  signal?: AbortSignal;
}

/** What `copy` stores beside the bytes. */
export interface CopyOptions {
  contentType: string;
  metadata: Readonly<Record<string, string>>;
  /** Aborting it ends the copy: then nothing has changed under the key. */
  signal?: AbortSignal;
}

/** What `create` made. */
export interface CreatedObject {
  bytes: number;
  etag: string;
  /** Lower-case hex SHA-256 of the bytes that were sent. */
  sha256: string;
  /** Their CRC-32, as `ObjectHead.crc32`; null where the store offers nothing to compare it with. */
  crc32: string | null;
}

export type LakeFailure =
  /** Unreachable, timed out, a 5xx, or another write of the same object that did not end. */
  | 'unavailable'
  /** Refused: credentials, permission, or no such bucket. */
  | 'denied'
  /** `create`: the key is taken. `putIfMatch`: somebody else was first. */
  | 'precondition'
  /** The caller's signal. */
  | 'aborted';

/** Every failure of a lake. */
export class LakeError extends Error {
  override readonly name = 'LakeError';
  constructor(
    readonly kind: LakeFailure,
    message: string,
    readonly hint: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Whether the lake failed, and in this way. */
export const isLakeFailure = (error: unknown, kind: LakeFailure): error is LakeError =>
  error instanceof LakeError && error.kind === kind;

/**
 * Where exports and records live: an S3 bucket or a local folder. Keys are relative to the lake's prefix, use `/`, and
 * were made by `keys.ts` (safe characters only). Every method throws `LakeError` and nothing else. Any number of
 * processes may use one lake at once. Contract suite: `testing/lake-suite.ts`.
 */
export interface Lake {
  /** `s3://bucket/prefix` or `file:///folder`, without a slash at the end. For people: never parsed. */
  readonly url: string;
  /** The address of one object, as answers tell it. */
  urlOf(key: string): string;
  /**
   * Streams a new object of unknown length. All or nothing: the object appears complete at the end or never. Throws
   * `precondition` if the key exists (also when it appeared meanwhile). Memory is bounded whatever the length; `body`
   * is pulled only as fast as the store takes it. A chunk belongs to the lake once yielded. If `body` throws, that
   * error comes through unchanged and the upload is aborted.
   */
  create(key: string, body: AsyncIterable<Uint8Array>, options: CreateOptions): Promise<CreatedObject>;
  /** Creates a small record. Throws `precondition` if the key exists. Not retried inside: the caller settles doubt. */
  putIfAbsent(key: string, body: Uint8Array): Promise<{ etag: string }>;
  /** Replaces a small record whose ETag is still `etag`; else throws `precondition`. Not retried inside. */
  putIfMatch(key: string, body: Uint8Array, etag: string): Promise<{ etag: string }>;
  /**
   * Copies an object of `bytes` bytes inside the store, over whatever lies under `to`: who reads there sees the object
   * before or this one, whole. No byte passes through this process. Throws `precondition` if there is none under `from`.
   */
  copy(from: Pick<ObjectInfo, 'key' | 'bytes'>, to: string, options: CopyOptions): Promise<void>;
  /** A small record whole, or null if absent. */
  get(key: string): Promise<{ body: Buffer; etag: string } | null>;
  /** An object as a stream, or null if absent. */
  read(key: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | null>;
  head(key: string): Promise<ObjectHead | null>;
  /** Keys that start with `prefix`, in byte order, starting after `after`. */
  list(prefix: string, after?: string): AsyncIterable<ObjectInfo>;
  /** Deletes if present. */
  delete(key: string): Promise<void>;
  /** Multipart uploads under keys that start with `prefix` which were neither completed nor aborted. A folder has none. */
  openUploads(prefix: string): AsyncIterable<{ key: string; uploadId: string }>;
  /** Aborts one, if it is still open. */
  abortUpload(key: string, uploadId: string): Promise<void>;
  /** Cheapest proof that the lake can be reached and listed; throws `unavailable` or `denied`. */
  check(): Promise<void>;
  close(): Promise<void>;
}
