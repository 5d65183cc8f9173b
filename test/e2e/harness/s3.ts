import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { dockerEnv, s3Env } from '../../services/need';

/** A bucket of one's own on the real S3 server. */
export interface Bucket {
  readonly name: string;
  /** What a gateway needs to use it; `fromContainer` where its scripts run in containers. */
  settings(fromContainer: boolean): Record<string, string>;
  keys(): Promise<string[]>;
  read(key: string): Promise<string>;
  unfinishedUploads(): Promise<number>;
}

export async function createBucket(): Promise<Bucket> {
  const { endpoint, dockerEndpoint, accessKey, secretKey } = s3Env();
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
  const name = `e2e-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: name }));
  const keys = async () => {
    const found: string[] = [];
    for (let token: string | undefined; ; ) {
      const page = await client.send(new ListObjectsV2Command({ Bucket: name, ContinuationToken: token }));
      found.push(...(page.Contents ?? []).map(({ Key }) => Key!));
      token = page.NextContinuationToken;
      if (token === undefined) return found;
    }
  };
  return {
    name,
    settings: (fromContainer) => ({
      AWS_BUCKET_NAME: name,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: fromContainer ? sharedEndpoint(endpoint, dockerEndpoint) : endpoint,
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: secretKey,
    }),
    keys,
    read: async (key) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key: key }));
      return text(Body as Readable);
    },
    unfinishedUploads: async () =>
      (await client.send(new ListMultipartUploadsCommand({ Bucket: name }))).Uploads?.length ?? 0,
  };
}

/** An address that both the gateway on this machine and its containers can use: the bridge's, where there is one. */
function sharedEndpoint(endpoint: string, dockerEndpoint: string): string {
  const { listenAddress } = dockerEnv();
  return listenAddress === '127.0.0.1' ? dockerEndpoint : `http://${listenAddress}:${new URL(endpoint).port}`;
}
