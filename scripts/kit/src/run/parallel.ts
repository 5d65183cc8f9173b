import { configError } from '../errors';

/** How much of a database is read at once. */
export interface Parallel {
  parallelTables: number;
  parallelRanges: number;
}

/** Each one is a connection more, and some 20 MiB for the upload of a table. */
const MAX = 16;
/** Measured on two cores: docs/benchmarks.md. */
const DEFAULTS = { PARALLEL_TABLES: 1, PARALLEL_RANGES: 1 };

/** Reads `PARALLEL_TABLES` and `PARALLEL_RANGES`. Throws `configError`. */
export function parallelOf(env: Readonly<Record<string, string | undefined>>): Parallel {
  const read = (name: keyof typeof DEFAULTS): number => {
    const text = env[name];
    if (!text) return DEFAULTS[name];
    if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX) return Number(text);
    throw configError(`${name}=${text} is no whole number from 1 to ${MAX}`, `Unset it for ${DEFAULTS[name]}.`);
  };
  return { parallelTables: read('PARALLEL_TABLES'), parallelRanges: read('PARALLEL_RANGES') };
}
