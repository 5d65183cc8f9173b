import * as z from 'zod';

/** An object with a key per table. Not `z.record`, which loses a table that is called `__proto__`. */
export const tableRecord = <T>(value: z.ZodType<T>) =>
  z
    .preprocess(entriesOf, z.array(z.tuple([z.string(), value])))
    .transform((entries): Record<string, T> => Object.fromEntries(entries));

const entriesOf = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
