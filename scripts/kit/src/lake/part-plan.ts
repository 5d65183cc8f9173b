const MiB = 1024 * 1024;

/** S3's limit of parts per upload. */
export const MAX_PARTS = 10_000;

/** One write to a socket must fit a signed 32-bit length. */
const LARGEST = 2047 * MiB;

/**
 * Size in bytes of the upload's part `number` (from 1). The length is unknown beforehand, so parts start at S3's minimum
 * of 5 MiB, for containers of 128 MiB, and grow with what was written (about 0.07 % of it): 5 MiB up to 1 GiB, 19 MiB at
 * 20 GiB, and 10,000 parts hold more than S3's 5 TiB.
 */
export const partSize = (number: number): number => Math.min(LARGEST, Math.floor(5 * 1.00068 ** (number - 1)) * MiB);
