import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { type Lake, openLake } from '@ingesta/kit';
import { s3Env } from '../../services/need';

/** A versioned bucket of one's own, reached past every fault. */
export interface FaultBucket {
  readonly name: string;
  readonly lake: Lake;
  /** Settings of whoever reaches the bucket at `port` of `host`. */
  settings(host: string, port: number): Record<string, string>;
  /** Every content that a record ever had, oldest first. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into records freely.
  history(key: string): Promise<any[]>;
  /** Writes without any condition. */
  overwrite(key: string, body: Uint8Array, metadata?: Record<string, string>): Promise<{ etag: string }>;
  unfinishedUploads(): Promise<string[]>;
  close(): Promise<void>;
}

export async function createFaultBucket(): Promise<FaultBucket> {
  const { endpoint, accessKey, secretKey } = s3Env();
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
  const Bucket = `faults-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  const settings = (host: string, port: number) => ({
    AWS_BUCKET_NAME: Bucket,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: `http://${host}:${port}`,
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: secretKey,
  });
  const { hostname, port } = new URL(endpoint);
  const lake = await openLake(settings(hostname, Number(port)));
  return {
    name: Bucket,
    lake,
    settings,
    async history(key) {
      const found: string[] = [];
      let more: { KeyMarker?: string; VersionIdMarker?: string } | null = {};
      while (more !== null) {
        const page: ListObjectVersionsCommandOutput = await client.send(
          new ListObjectVersionsCommand({ Bucket, Prefix: key, ...more }),
        );
        found.push(...(page.Versions ?? []).map(({ VersionId }) => VersionId!));
        const { IsTruncated, NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
        more = IsTruncated ? { KeyMarker, VersionIdMarker } : null;
      }
      return Promise.all(found.reverse().map((version) => contentOf(client, Bucket, key, version)));
    },
    async overwrite(Key, Body, Metadata) {
      const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body, Metadata }));
      return { etag: ETag! };
    },
    unfinishedUploads: async () =>
      ((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).map(({ Key }) => Key!),
    async close() {
      await lake.close();
      client.destroy();
    },
  };
}

async function contentOf(client: S3Client, Bucket: string, Key: string, VersionId: string): Promise<unknown> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return JSON.parse(await Body!.transformToString());
}
