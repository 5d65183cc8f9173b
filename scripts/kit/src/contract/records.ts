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
  /** Epoch of the lease it was published under; 0 where nobody noted it. */
  epoch: z.int().min(0).default(0),
  /** `mixed` when entries were carried over from another run. */
  consistency: z.union([consistencySchema, z.literal('mixed')]),
  image_digest: z.string().nullable(),
  tables: tableRecord(manifestEntrySchema),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** `_ingesta/current/<db>.json`: the one object whose change makes a run visible. */
export const pointerSchema = z.object({
  /** Of the last holder that fenced; a holder with a lower one can publish nothing any more. */
  epoch: z.int().min(0),
  /** Key of the manifest readers use; null while nothing was ever published. */
  manifest: z.string().nullable(),
  updated_at: z.iso.datetime(),
});
export type Pointer = z.infer<typeof pointerSchema>;

/** `_ingesta/locks/<db>.json`: who may run a database's ingestion. Never deleted, so that `epoch` only grows. */
export const leaseRecordSchema = z.object({
  /** Grows by one with each holder. */
  epoch: z.int().min(1),
  /** The gateway, for people. */
  holder: z.string(),
  run_id: z.string(),
  /** Random per holding: tells whose write it was when an answer was lost. */
  nonce: z.string(),
  /** Grows with each write of a holder: two records never have the same bytes, nor the same ETag. */
  seq: z.int().min(0),
  state: z.enum(['held', 'free']),
  started_at: z.iso.datetime(),
  /** When the run ends at the latest. */
  deadline: z.iso.datetime(),
  /** Last second that stands in object keys of this database, in seconds since 1970. */
  last_timestamp: z.int().min(0),
  /**
   * Runs of earlier holders that went away, of which nobody has said yet how they ended: kept until somebody has, so that a
   * run is not forgotten where its successor dies, too.
   */
  orphans: z.array(z.string()).default([]),
  /** Who watches it waits for this long, where its own setting is shorter. */
  ttl_ms: z.int().min(1),
});
export type LeaseRecord = z.infer<typeof leaseRecordSchema>;

/** `objects-<attempt>.json`: every key that an attempt will use. Nobody else ever uses one of them. */
export const attemptObjectsSchema = z.object({ nonce: z.string(), keys: z.array(z.string()) });
export type AttemptObjects = z.infer<typeof attemptObjectsSchema>;

/** `upload-<attempt>-<n>.json`: a multipart upload that was begun. */
export const openUploadSchema = z.object({ key: z.string(), upload_id: z.string() });
export type OpenUpload = z.infer<typeof openUploadSchema>;

export const runStateSchema = z.enum(['running', 'succeeded', 'failed', 'cancelled']);
export type RunState = z.infer<typeof runStateSchema>;

/** How far one table is. */
export const tableProgressSchema = z.object({
  state: z.enum(['running', 'finished']),
  rows: z.int().min(0),
  /** Before compression. */
  bytes: z.int().min(0),
  estimated_rows: z.int().min(0).nullable(),
});
export type TableProgress = z.infer<typeof tableProgressSchema>;

/** `run.json`: what is known of one run. Terminal states never change. */
export const runRecordSchema = z.object({
  run_id: z.string(),
  database: z.string(),
  state: runStateSchema,
  /** Grows with each write; the ids of the event stream. */
  revision: z.int().min(0).default(0),
  /** Of the lease it runs under. */
  epoch: z.int().min(0).default(0),
  /** The gateway that runs it, for people. */
  gateway: z.string().nullable().default(null),
  /** Who asked for it; null where nobody had to say. */
  requested_by: z.string().nullable().default(null),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  deadline: z.iso.datetime().nullable().default(null),
  timestamp: z.string(),
  request: z.object({ tables: z.array(z.string()).nullable(), format: z.string(), dry_run: z.boolean() }),
  runner: z.string(),
  image: z.string().nullable(),
  image_digest: z.string().nullable(),
  attempts: z.int(),
  consistency: z.string().nullable(),
  duration_ms: z.int().nullable(),
  /** The tables begun so far; of very many, those begun last. */
  progress: tableRecord(tableProgressSchema).default({}),
  warnings: z.array(z.string()).default([]),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** `_ingesta/idempotency/<sha256>.json`: what became of the requests with one key. */
export const idempotencyRecordSchema = z.object({
  /** SHA-256 of the request: another one under the same key is a mistake. */
  fingerprint: z.string(),
  /** The run that answers; it may not have begun yet. */
  run_id: z.string(),
  /** `taken`: see the run. `open`: it never began, and the next request may try. `refused`: see `error`. */
  state: z.enum(['taken', 'open', 'refused']),
  /** Grows while the run waits for its turn: who waits for it sees that its gateway lives. */
  beat: z.int().default(0),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
});
export type IdempotencyRecord = z.infer<typeof idempotencyRecordSchema>;
