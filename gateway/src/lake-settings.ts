/** The settings by which gateway and scripts find the lake; the credentials are not among them. */
export const LAKE_SETTINGS: readonly string[] = [
  'LAKE_URL',
  'LAKE_PREFIX',
  'AWS_BUCKET_NAME',
  'S3_BUCKET',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL_S3',
  'AWS_ENDPOINT_URL',
  'AWS_REQUEST_CHECKSUM_CALCULATION',
  'S3_ENCRYPTION',
  'S3_KMS_KEY_ID',
  'S3_STORAGE_CLASS',
  'S3_TAGS',
];
