import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { S3Storage } from './s3-storage';

const GiB = 1024 ** 3;
/** What S3 copies in one call, and the parts of what is larger: 10,000 of them hold more than its 5 TiB. */
const SIZES = { whole: 5 * GiB, part: GiB };
/** S3 copies parts faster side by side. */
const PARALLEL = 4;
/** Patience for the clean-up after a failure. */
const ABORT_MS = 10_000;

/** From where to where, and how it is stored there. */
export interface S3Copy {
  client: S3Client;
  bucket: string;
  from: string;
  bytes: number;
  object: { Bucket: string; Key: string; ContentType: string; Metadata: Record<string, string> } & S3Storage['every'] &
    S3Storage['data'];
  signal: AbortSignal;
}

/** Copies inside S3: small objects in one call, large ones in parts. Throws what the SDK throws. */
export async function copyObject(copy: S3Copy, sizes = SIZES): Promise<void> {
  const { client, bytes, object, signal: abortSignal } = copy;
  if (bytes > sizes.whole) return copyInParts(copy, sizes.part);
  const command = new CopyObjectCommand({
    ...object,
    CopySource: sourceOf(copy),
    MetadataDirective: 'REPLACE',
    // Reading the source's tags would be one right more.
    TaggingDirective: 'REPLACE',
  });
  await client.send(command, { abortSignal });
}

async function copyInParts(copy: S3Copy, partBytes: number): Promise<void> {
  const { client, bytes, object, signal } = copy;
  const { Bucket, Key } = object;
  // Not abortable: an upload whose id is lost could not be cleaned up.
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
  const failure = new AbortController();
  const abortSignal = AbortSignal.any([signal, failure.signal]);
  const parts: CompletedPart[] = [];
  const numbers = Array.from({ length: Math.ceil(bytes / partBytes) }, (_, index) => index + 1).values();
  const worker = async () => {
    for (const PartNumber of numbers) {
      const start = (PartNumber - 1) * partBytes;
      const CopySourceRange = `bytes=${start}-${Math.min(start + partBytes, bytes) - 1}`;
      const source = { CopySource: sourceOf(copy), CopySourceRange };
      const command = new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, ...source });
      const { CopyPartResult } = await client.send(command, { abortSignal });
      parts[PartNumber - 1] = { PartNumber, ETag: CopyPartResult?.ETag, ChecksumCRC32: CopyPartResult?.ChecksumCRC32 };
    }
  };
  const workers = Array.from({ length: PARALLEL }, worker);
  try {
    await Promise.all(workers);
    signal.throwIfAborted();
    await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }));
  } catch (error) {
    failure.abort();
    // A part that landed after the abort would stay and be paid for.
    await Promise.allSettled(workers);
    await client
      .send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal: AbortSignal.timeout(ABORT_MS) })
      .catch(() => {});
    throw error;
  }
}

const sourceOf = ({ bucket, from }: S3Copy): string => `${bucket}/${from.split('/').map(encodeURIComponent).join('/')}`;
