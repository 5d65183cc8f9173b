import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Call } from '../faults/harness/s3-proxy';

const ROOT = join(__dirname, '../..');

interface Statement {
  Action: string | string[];
  Resource: unknown;
}

/** The actions that one of deploy/terraform's policies allows. Its placeholders stand in for values of Terraform's. */
export function allowed(policy: string): string[] {
  const text = readFileSync(join(ROOT, 'deploy/terraform/policies', `${policy}.json.tftpl`), 'utf8');
  const { Statement } = JSON.parse(text.replaceAll(/(?<!")\$\{\w+\}(?=[,\n])/g, '"placeholder"')) as {
    Statement: Statement[];
  };
  return Statement.flatMap(({ Action }) => Action).sort();
}

/** What AWS asks of a caller of S3's HTTP interface, by method, key and query. */
export function s3Action({ method, key, query, headers }: S3Call): string[] {
  if (method === 'GET' && key === '')
    return query.has('uploads') ? ['s3:ListBucketMultipartUploads'] : ['s3:ListBucket'];
  if (method === 'HEAD' && key === '') return ['s3:ListBucket'];
  if (method === 'GET' && query.has('uploadId')) return ['s3:ListMultipartUploadParts'];
  if (method === 'GET' || method === 'HEAD') return ['s3:GetObject'];
  if (method === 'DELETE') return query.has('uploadId') ? ['s3:AbortMultipartUpload'] : ['s3:DeleteObject'];
  const copies = headers['x-amz-copy-source'] !== undefined ? ['s3:GetObject'] : [];
  const tags = headers['x-amz-tagging'] !== undefined ? ['s3:PutObjectTagging'] : [];
  if (method === 'PUT' || method === 'POST') return ['s3:PutObject', ...copies, ...tags];
  throw new Error(`${method} ${key} is no call that is known here`);
}

/** What the gateway can ask of an AWS service, by the commands and paginators that its sources take from the SDK. */
export function sdkActions(service: string): string[] {
  const folder = join(ROOT, 'gateway/src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !/\.test\.ts$|testing\//.test(name),
  );
  const actions = files.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    if (!text.includes(`@aws-sdk/client-${service}'`)) return [];
    const commands = [...text.matchAll(/\b([A-Z]\w+)Command\b/g)].map(([, command]) => command!);
    const pages = [...text.matchAll(/\bpaginate([A-Z]\w+)\b/g)].map(([, command]) => command!);
    return [...commands, ...pages].map((command) => `${service}:${command}`);
  });
  return [...new Set(actions)].sort();
}
