import * as z from 'zod';
import { columnSchema, consistencySchema, droppedColumnSchema } from './columns';
import { tableRecord } from './table-record';

/** One exported table. `url` and `registros` stand first: callers read them. */
export const tableResultSchema = z.object({
  /** `s3://bucket/key` or `file:///path`. */
  url: z.string(),
  /** Rows, the header line not counted. */
  registros: z.int().min(0),
  /** Key below the lake's prefix. */
  key: z.string(),
  /** Size of the object as stored (compressed if the format is). */
  bytes: z.int().min(0),
  /** Lower-case hex SHA-256 of the object as stored. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** CRC-32 of the object as stored, base64 as S3 writes it: compared with the store's own where both have one. */
  crc32: z
    .string()
    .regex(/^[A-Za-z0-9+/]{6}==$/)
    .optional(),
  columns: z.array(columnSchema),
  dropped_columns: z.array(droppedColumnSchema),
});
export type TableResult = z.infer<typeof tableResultSchema>;

/** Success document of a script: the whole of its stdout, and `result-<attempt>.json` in the lake. */
export const scriptResultSchema = z.object({
  status: z.literal('success'),
  database: z.string(),
  result: tableRecord(tableResultSchema),
  run_id: z.string(),
  attempt: z.int(),
  nonce: z.string(),
  consistency: consistencySchema,
  /** ISO 8601 instant of the snapshot (of the first table where there is none). */
  taken_at: z.iso.datetime(),
  duration_ms: z.int().min(0),
  warnings: z.array(z.string()),
});
export type ScriptResult = z.infer<typeof scriptResultSchema>;

/** One table of a dry run. */
export const plannedTableSchema = z.object({
  columns: z.array(columnSchema),
  dropped_columns: z.array(droppedColumnSchema),
  /** The engine's statistics, not a count; null where it has none. */
  estimated_rows: z.int().min(0).nullable(),
});

/** What a script with `dry_run` prints: what it would take, what it drops and why. */
export const scriptPlanSchema = z.object({
  status: z.literal('planned'),
  database: z.string(),
  plan: tableRecord(plannedTableSchema),
  run_id: z.string(),
  attempt: z.int(),
  nonce: z.string(),
  consistency: consistencySchema,
});
export type ScriptPlan = z.infer<typeof scriptPlanSchema>;

/** Failure document of a script: printed instead of the result, with the matching exit code. */
export const scriptFailureSchema = z.object({
  status: z.literal('error'),
  database: z.string().nullable(),
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    run_id: z.string().nullable(),
  }),
});
export type ScriptFailure = z.infer<typeof scriptFailureSchema>;

/** Anything a script may print on stdout. */
export const scriptOutputSchema = z.discriminatedUnion('status', [
  scriptResultSchema,
  scriptPlanSchema,
  scriptFailureSchema,
]);
export type ScriptOutput = z.infer<typeof scriptOutputSchema>;

/** Largest stdout that is still taken for a result. */
export const MAX_RESULT_BYTES = 16 * 1024 * 1024;
