import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { AWS_SILENCE } from './aws-silence';
import type { S3Storage } from './s3-storage';

/** Where an S3 lake is and how it is reached. */
export interface S3LakeSettings {
  bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  prefix: string;
  region: string;
  /** Address of an S3-compatible server; undefined for AWS. */
  endpoint?: string | undefined;
  credentials: NonNullable<S3ClientConfig['credentials']>;
  /** How objects are stored; absent: as the bucket has it. */
  storage?: S3Storage;
  /** Whether the server takes CRC-32 checksums with what is written, and tells them; absent: AWS only. */
  checksums?: boolean;
}

/** Many S3-compatible servers know no checksums. */
export const hasChecksums = ({ endpoint, checksums }: S3LakeSettings): boolean => checksums ?? !endpoint;

/** A client that tries three times, and one on the same connections that tries once. */
export function s3Clients(settings: S3LakeSettings): [thrice: S3Client, once: S3Client] {
  const { region, endpoint, credentials } = settings;
  const calculation = hasChecksums(settings) ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const config: S3ClientConfig = {
    region,
    credentials,
    maxAttempts: 3,
    requestHandler: AWS_SILENCE,
    requestChecksumCalculation: calculation,
    responseChecksumValidation: calculation,
    // Many S3-compatible servers know no bucket host names.
    ...(endpoint && { endpoint, forcePathStyle: true }),
  };
  const thrice = new S3Client(config);
  // Of tokens that rotate both have the same one at any time.
  const { credentials: found, requestHandler } = thrice.config;
  return [thrice, new S3Client({ ...config, credentials: found, maxAttempts: 1, requestHandler })];
}
