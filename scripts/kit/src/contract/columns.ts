import * as z from 'zod';

/**
 * What a CSV field's text means, independent of the engine it came from. A reader that knows the logical type can
 * rebuild the value exactly.
 *
 * - `boolean`: `true` / `false`
 * - `integer`, `decimal`: decimal text in full precision
 * - `float`: shortest text that reads back to the same IEEE value; `NaN`, `Infinity`, `-Infinity`
 * - `text`, `uuid`: verbatim
 * - `date`: `2025-01-02`; `time`: `15:30:45.123456`; `timestamp`: `2025-01-02 15:30:45.123456`
 * - `timestamptz`: an instant, in UTC, with `+00` behind it
 * - `interval`: ISO 8601 duration (or the engine's text, see the source type)
 * - `binary`: lower-case hex
 * - `json`: compact JSON (also arrays, documents, collections)
 */
export const logicalTypeSchema = z.enum([
  'boolean',
  'integer',
  'decimal',
  'float',
  'text',
  'uuid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'interval',
  'binary',
  'json',
]);
export type LogicalType = z.infer<typeof logicalTypeSchema>;

/** One column of a table as it stands in the CSV and in the manifest. */
export const columnSchema = z.object({
  name: z.string(),
  /** The engine's own name of the type, with its modifiers: `numeric(10,2)`, `bigint unsigned`. */
  source_type: z.string(),
  logical_type: logicalTypeSchema,
  nullable: z.boolean(),
});
export type Column = z.infer<typeof columnSchema>;

/** A column (or a nested field, as a path `contacto.password`) that was left out, and the rule that says so. */
export const droppedColumnSchema = z.object({ name: z.string(), reason: z.string() });
export type DroppedColumn = z.infer<typeof droppedColumnSchema>;

/** What moment the tables of one run show: one for all, one for each table, or no promise. */
export const consistencySchema = z.enum(['snapshot', 'per_table', 'none']);
export type Consistency = z.infer<typeof consistencySchema>;
