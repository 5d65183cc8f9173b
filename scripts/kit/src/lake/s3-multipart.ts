import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { BlockHash } from './block-hash';
import type { Block } from './blocks';
import type { S3Storage } from './s3-storage';

/** Patience for the clean-up after a failure. */
const ABORT_MS = 10_000;

/** Where a multipart upload goes. */
export interface MultipartTarget {
  client: S3Client;
  /** The object, with what is to be stored beside it. */
  object: { Bucket: string; Key: string; ContentType: string; Metadata: Record<string, string> } & S3Storage['every'] &
    S3Storage['data'];
  /** Whether the client adds checksums by itself: then the upload must be created for them. */
  checksums: boolean;
  /** Runs one S3 call; its failure is a `LakeError`. */
  call<T>(permission: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Gets every block. */
  hash: BlockHash;
  /** Told of the upload before its first part. */
  onUpload: (uploadId: string) => Promise<void>;
}

/** Completes an upload whose parts are all stored: one S3 call, which may be repeated. */
export type Complete = () => Promise<{ ETag?: string | undefined }>;

/** The signature covers the body by its SHA-256, which the SDK would compute once more, on our thread. */
function signedBy(command: UploadPartCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'bodyHash' },
  );
}

/**
 * Uploads `first` and the rest of `blocks` as parts, then runs `commit` with what completes the upload. Two parts are in
 * flight at most: a block's buffer is free again when the next but one is filled. If anything fails, the upload is
 * aborted and the first error comes through unchanged.
 *
 * @param stop ends `blocks` and the parts in flight; aborted here with the first error
 */
export async function multipart<T>(
  { client, object, checksums, call, hash, onUpload }: MultipartTarget,
  first: Block,
  blocks: AsyncIterator<Block, undefined>,
  stop: { signal: AbortSignal; abort(reason: unknown): void },
  commit: (bytes: number, complete: Complete) => Promise<T>,
): Promise<T> {
  const abortSignal = stop.signal;
  const { Bucket, Key } = object;
  const creation = new CreateMultipartUploadCommand({
    ...object,
    ...(checksums ? { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } : {}),
  });
  // Not abortable: an upload whose id is lost could not be cleaned up.
  const { UploadId } = await call('s3:PutObject', () => client.send(creation));
  const upload = async (PartNumber: number, block: Block): Promise<CompletedPart> => {
    const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: block.data });
    signedBy(command, await hash.updateWithDigest(block));
    const part = await call('s3:PutObject', () => client.send(command, { abortSignal }), abortSignal);
    return { PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 };
  };
  const uploads: Promise<CompletedPart>[] = [];
  try {
    await onUpload(UploadId!);
    let bytes = 0;
    for (let block: Block | undefined = first; block; block = (await blocks.next()).value) {
      const previous = uploads.at(-1);
      const part = upload(uploads.length + 1, block);
      uploads.push(part);
      part.catch((error) => stop.abort(error));
      bytes += block.data.length;
      await previous;
    }
    const MultipartUpload = { Parts: await Promise.all(uploads) };
    const completion = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, IfNoneMatch: '*' });
    return await commit(bytes, () => client.send(completion));
  } catch (error) {
    stop.abort(error);
    // A part that landed after the abort would stay and be paid for.
    await Promise.allSettled(uploads);
    await client
      .send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal: AbortSignal.timeout(ABORT_MS) })
      .catch(() => {});
    throw error;
  }
}
