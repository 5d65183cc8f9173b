import { DeleteObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type Bucket, createBucket } from '../../../e2e/harness/s3';
import { s3Env } from '../../../services/need';
import { MARKERS } from '../../../services/service';
import type { Contender } from '../contender';
import { resultOf, scriptProcess } from './script';

/** This project's script as a process, writing into a bucket of the S3 server on this machine. */
export function scriptToS3(source: string, env: Record<string, string> = {}): Contender {
  let bucket: Bucket | undefined;
  return {
    id: 'script-s3',
    title: 'this project, process → S3',
    role: 'ours',
    prepare: async () => {
      if (!process.env[MARKERS.s3]) throw new Error('no S3 server on this machine');
      bucket = await createBucket();
      return `Node ${process.versions.node}`;
    },
    program: (table) => scriptProcess(source, { ...table.settings(false), ...settingsOf(bucket), ...env }),
    output: async (_table, _folder, stdout) => {
      const { key, registros } = resultOf(stdout);
      const { endpoint, accessKey, secretKey } = s3Env();
      const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
      const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
      const object = { Bucket: settingsOf(bucket).AWS_BUCKET_NAME, Key: key };
      const { ContentLength } = await client.send(new HeadObjectCommand(object));
      // Freed at once: a benchmark should not fill the disk.
      await client.send(new DeleteObjectCommand(object));
      client.destroy();
      return { rows: registros, bytes: ContentLength ?? null };
    },
  };
}

function settingsOf(bucket: Bucket | undefined): Record<string, string> {
  if (!bucket) throw new Error('prepare() comes first');
  return bucket.settings(false);
}
