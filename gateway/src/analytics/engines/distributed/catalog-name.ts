import { createHash } from 'node:crypto';

/** Catalogs take up to 255 bytes; the rest is for what is put behind a name. */
const MAX_LENGTH = 150;

/** A text as a name that every catalog takes: lower case, digits and `_`. Different texts may get the same. */
export const catalogName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
    .slice(0, MAX_LENGTH);

/** Eight hex digits that tell two texts apart. */
export const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);
