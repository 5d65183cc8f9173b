const MiB = 1024 * 1024;

/** S3's limit of parts per upload. */
export const MAX_PARTS = 10_000;

/** So many parts are of the smallest size. */
const UNGROWN = 500;

/** One write to a socket must fit a signed 32-bit length. */
const LARGEST = 2047 * MiB;

/**
 * Size in bytes of the upload's part `number` (from 1). The length is unknown beforehand, so parts start at S3's minimum
 * of 5 MiB, for containers of 128 MiB, and after a while grow with what was written (less than 0.1 % of it): 5 MiB up to
 * 3 GiB, 18 MiB at 20 GiB, and 10,000 parts hold more than S3's 5 TiB.
 */
export const partSize = (number: number): number =>
  Math.min(LARGEST, Math.floor(5 * 1.00073 ** Math.max(0, number - UNGROWN)) * MiB);
