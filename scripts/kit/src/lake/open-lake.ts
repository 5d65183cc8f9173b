import { fileURLToPath } from 'node:url';
import { configError } from '../errors';
import { awsKeyProblems } from './aws-keys';
import { awsCredentials, awsRegion } from './found-credentials';
import { MAX_PREFIX_BYTES } from './keys';
import type { Lake } from './lake';
import type { S3LakeSettings } from './s3-clients';
import { s3Storage, s3StorageProblems } from './s3-storage';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Opens the lake that `env` names: a folder (`LAKE_URL=file:///…`) or a bucket. Only reads settings; `check()` tells
 * whether the lake can be reached. Throws `ScriptError` (64) with every problem of the settings.
 */
export async function openLake(env: Env): Promise<Lake> {
  const problems = lakeProblems(env);
  if (problems.length > 0)
    throw configError(problems.join('; '), 'Correct these variables; .env.example explains them.');
  if (env.LAKE_URL) {
    const { FolderLake } = await import('./folder-lake');
    return new FolderLake(fileURLToPath(env.LAKE_URL));
  }
  const { S3Lake } = await import('./s3-lake');
  return new S3Lake(s3Settings(env));
}

/** What is wrong with the lake's settings, one sentence each; empty if nothing is. */
export function lakeProblems(env: Env): string[] {
  if (env.LAKE_URL) return folderProblems(env);
  const problems: string[] = [];
  const { AWS_BUCKET_NAME, S3_BUCKET } = env;
  const bucket = AWS_BUCKET_NAME || S3_BUCKET;
  if (!bucket) problems.push('AWS_BUCKET_NAME (or S3_BUCKET, or LAKE_URL=file:///folder) is not set');
  else if (!/^[A-Za-z0-9._-]{3,63}$/.test(bucket))
    problems.push(`${JSON.stringify(bucket)} is not the name of a bucket`);
  if (AWS_BUCKET_NAME && S3_BUCKET && AWS_BUCKET_NAME !== S3_BUCKET)
    problems.push('AWS_BUCKET_NAME and S3_BUCKET name different buckets: set one of them');

  const prefix = prefixOf(env);
  if (prefix && !prefix.split('/').every((segment) => /^[A-Za-z0-9_=-][A-Za-z0-9_.=-]*$/.test(segment)))
    problems.push('LAKE_PREFIX may contain letters, digits and _ . = - between single slashes only');
  if (prefix.length > MAX_PREFIX_BYTES) problems.push(`LAKE_PREFIX is longer than ${MAX_PREFIX_BYTES} bytes`);

  const endpoint = endpointOf(env);
  if (endpoint && !(URL.canParse(endpoint) && /^https?:\/\//.test(endpoint)))
    problems.push('AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) must be a URL like http://host:9000');
  const checksums = env.AWS_REQUEST_CHECKSUM_CALCULATION;
  if (checksums && !/^when_(supported|required)$/i.test(checksums))
    problems.push('AWS_REQUEST_CHECKSUM_CALCULATION must be when_supported or when_required');
  problems.push(...s3StorageProblems(env), ...awsKeyProblems(env));
  return problems;
}

function folderProblems(env: Env): string[] {
  const problems = prefixOf(env) ? ['LAKE_PREFIX is for buckets: make it part of LAKE_URL'] : [];
  try {
    const path = fileURLToPath(env.LAKE_URL!);
    if (/^\/(proc|sys)(\/|$)/.test(path)) problems.push(`LAKE_URL: ${path} is the kernel's own, and keeps no files`);
  } catch {
    problems.push('LAKE_URL must be a local folder like file:///data/lake (for S3 set AWS_BUCKET_NAME instead)');
  }
  return problems;
}

const prefixOf = (env: Env): string => (env.LAKE_PREFIX ?? '').replace(/^\/+|\/+$/g, '');

const endpointOf = (env: Env): string | undefined => env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined;

function s3Settings(env: Env): S3LakeSettings {
  return {
    bucket: (env.AWS_BUCKET_NAME || env.S3_BUCKET)!,
    prefix: prefixOf(env),
    region: awsRegion(env),
    endpoint: endpointOf(env),
    ...(env.AWS_REQUEST_CHECKSUM_CALCULATION && {
      checksums: /^when_supported$/i.test(env.AWS_REQUEST_CHECKSUM_CALCULATION),
    }),
    storage: s3Storage(env),
    credentials: awsCredentials(env),
  };
}
