import * as z from 'zod';

const at = z.iso.datetime();

/** One line of a script's stderr when stderr is not a terminal. */
export const scriptEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('log'), at, level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() }),
  z.object({ event: z.literal('table_started'), at, table: z.string(), estimated_rows: z.int().nullable() }),
  /** Rows and bytes (before compression) so far. */
  z.object({ event: z.literal('progress'), at, table: z.string(), rows: z.int(), bytes: z.int() }),
  z.object({ event: z.literal('table_finished'), at, table: z.string(), rows: z.int(), bytes: z.int() }),
]);
export type ScriptEvent = z.infer<typeof scriptEventSchema>;
