import type { PutObjectCommandInput } from '@aws-sdk/client-s3';

type Env = Readonly<Record<string, string | undefined>>;

/** How objects are stored, as S3's writing calls take it. */
export interface S3Storage {
  /** With every object. */
  every: Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'Tagging'>;
  /** With data only: records are small, and read and replaced all the time. */
  data: Pick<PutObjectCommandInput, 'StorageClass'>;
}

const ENCRYPTIONS = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const;
/** Those whose objects can be read at once: snapshots are verified, and answer queries. */
const CLASSES = ['STANDARD', 'INTELLIGENT_TIERING', 'STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR'] as const;

/** What S3 takes of tags: ten, of letters, digits and a few signs. */
const TAG = /^[\w +.:/@-]{1,128}=[\w +.:/@-]{0,256}$/;
const MAX_TAGS = 10;

/** Storage as `env` sets it; empty where the bucket's own settings are to hold. */
export function s3Storage({ S3_ENCRYPTION, S3_KMS_KEY_ID, S3_STORAGE_CLASS, S3_TAGS }: Env): S3Storage {
  const encryption = ENCRYPTIONS.find((known) => known === S3_ENCRYPTION);
  const storageClass = CLASSES.find((known) => known === S3_STORAGE_CLASS);
  return {
    every: {
      ...(encryption && { ServerSideEncryption: encryption }),
      ...(S3_KMS_KEY_ID && { SSEKMSKeyId: S3_KMS_KEY_ID }),
      ...(S3_TAGS && { Tagging: new URLSearchParams(tagsOf(S3_TAGS).map(pairOf)).toString() }),
    },
    data: storageClass ? { StorageClass: storageClass } : {},
  };
}

/** What is wrong with these settings, one sentence each. */
export function s3StorageProblems({ S3_ENCRYPTION, S3_KMS_KEY_ID, S3_STORAGE_CLASS, S3_TAGS }: Env): string[] {
  const problems: string[] = [];
  const oneOf = (name: string, value: string | undefined, known: readonly string[]) => {
    if (value && !known.includes(value)) problems.push(`${name}=${value} must be one of ${known.join(', ')}`);
  };
  oneOf('S3_ENCRYPTION', S3_ENCRYPTION, ENCRYPTIONS);
  oneOf('S3_STORAGE_CLASS', S3_STORAGE_CLASS, CLASSES);
  if (S3_KMS_KEY_ID && !S3_ENCRYPTION?.startsWith('aws:kms'))
    problems.push('S3_KMS_KEY_ID counts with S3_ENCRYPTION=aws:kms (or aws:kms:dsse) only');
  const tags = tagsOf(S3_TAGS ?? '');
  const wrong = tags.find((tag) => !TAG.test(tag));
  if (wrong !== undefined) problems.push(`S3_TAGS: "${wrong}" must be like team=data`);
  if (tags.length > MAX_TAGS) problems.push(`S3_TAGS: S3 takes ${MAX_TAGS} tags at most`);
  return problems;
}

const tagsOf = (text: string): string[] => text.split(',').flatMap((tag) => tag.trim() || []);

const pairOf = (tag: string): [string, string] => {
  const [name = '', ...value] = tag.split('=');
  return [name, value.join('=')];
};
