import { dayOf } from '../random';

/** Rows of each table whose number is fixed before generating; the others hang on these. */
interface Counts {
  users: number;
  agents: number;
  clients: number;
  policies: number;
  reclamos: number;
  auditoria: number;
}

/** All that a row depends on besides its own id. */
export interface World {
  seed: number;
  counts: Counts;
}

export const DEFAULT_SEED = 20_240_229;

/** The business opens and the data ends on fixed days: a clock would make the same seed give other rows tomorrow. */
export const FIRST_DAY = dayOf('2022-01-03');
export const LAST_DAY = dayOf('2026-10-31');

/** @throws RangeError when the scale is no positive number or the seed no integer. */
export const createWorld = (scale: number, seed: number): World => {
  if (!(scale > 0 && Number.isFinite(scale))) throw new RangeError(`scale must be a positive number, not ${scale}`);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed must be an integer, not ${seed}`);
  // The floor leaves room for every awkward row, however small the scale.
  const scaled = (rows: number, atLeast: number) => Math.max(atLeast, Math.round(rows * scale));
  const agents = scaled(60, 3);
  const clients = scaled(3_200, 30);
  return {
    seed,
    counts: {
      agents,
      clients,
      users: agents + clients + scaled(740, 10),
      policies: scaled(4_000, 40),
      reclamos: scaled(1_500, 30),
      auditoria: scaled(3_000, 60),
    },
  };
};
