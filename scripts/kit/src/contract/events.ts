import * as z from 'zod';

const at = z.iso.datetime();
const count = z.int().min(0);
/** An estimate that cannot be one (-1 is PostgreSQL's for a table it never looked at) is none. */
const estimate = count.nullable().catch(null);

/** One line of a script's stderr when stderr is not a terminal. */
export const scriptEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('log'), at, level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() }),
  z.object({ event: z.literal('table_started'), at, table: z.string(), estimated_rows: estimate }),
  /** Rows and bytes (before compression) so far. */
  z.object({ event: z.literal('progress'), at, table: z.string(), rows: count, bytes: count }),
  z.object({ event: z.literal('table_finished'), at, table: z.string(), rows: count, bytes: count }),
]);
export type ScriptEvent = z.infer<typeof scriptEventSchema>;
