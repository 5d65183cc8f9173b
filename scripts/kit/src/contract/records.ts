import * as z from 'zod';
import { columnSchema, consistencySchema, droppedColumnSchema } from './columns';
import { tableRecord } from './table-record';

/** One object of a snapshot. */
export const manifestEntrySchema = z.object({
  key: z.string(),
  url: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  rows: z.int(),
  columns: z.array(columnSchema),
  dropped_columns: z.array(droppedColumnSchema),
  consistency: consistencySchema,
  run_id: z.string(),
  taken_at: z.iso.datetime(),
  /** Which sensitive rules were in force: `SensitiveRules.id`; null where nobody noted it. */
  sensitive_rules: z.string().nullable().default(null),
});
export type ManifestEntry = z.infer<typeof manifestEntrySchema>;

/** `manifest.json` of a run: every object of the snapshot it published. */
export const manifestSchema = z.object({
  version: z.literal(1),
  database: z.string(),
  run_id: z.string(),
  /** Key of the manifest this one replaced, or null. */
  parent: z.string().nullable(),
  taken_at: z.iso.datetime(),
  /** `mixed` when entries were carried over from another run. */
  consistency: z.union([consistencySchema, z.literal('mixed')]),
  image_digest: z.string().nullable(),
  tables: tableRecord(manifestEntrySchema),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** `_ingesta/current/<db>.json`: the one object whose change makes a run visible. */
export const pointerSchema = z.object({
  epoch: z.int().min(0),
  /** Key of the manifest readers use; null while nothing was ever published. */
  manifest: z.string().nullable(),
  updated_at: z.iso.datetime(),
});
export type Pointer = z.infer<typeof pointerSchema>;

export const runStateSchema = z.enum(['running', 'succeeded', 'failed', 'cancelled']);
export type RunState = z.infer<typeof runStateSchema>;

/** `run.json`: what is known of one run. Terminal states never change. */
export const runRecordSchema = z.object({
  run_id: z.string(),
  database: z.string(),
  state: runStateSchema,
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  timestamp: z.string(),
  request: z.object({ tables: z.array(z.string()).nullable(), format: z.string(), dry_run: z.boolean() }),
  runner: z.string(),
  image: z.string().nullable(),
  image_digest: z.string().nullable(),
  attempts: z.int(),
  consistency: z.string().nullable(),
  duration_ms: z.int().nullable(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;
