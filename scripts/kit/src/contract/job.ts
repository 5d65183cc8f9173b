import * as z from 'zod';

export const formatSchema = z.enum(['csv', 'csv.gz']);
export type Format = z.infer<typeof formatSchema>;

/** A named query of the server's own files, exported like a table. */
export const datasetSchema = z.object({
  /** Result key; the file's name without its ending. */
  name: z.string().regex(/^[A-Za-z0-9_][\w.-]{0,127}$/),
  /** What the engine takes: one SELECT, or a pipeline as JSON. */
  text: z.string(),
});
export type Dataset = z.infer<typeof datasetSchema>;

/**
 * What the gateway hands a script, as one JSON document on stdin when `INGESTA_JOB=stdin` is set. It carries every
 * secret, so that none shows in `docker inspect` or `ps`. Without a gateway a script builds the same job from its
 * environment (`jobFromEnv`).
 */
export const jobSchema = z.object({
  /** The source's name: key prefix in the lake and `database` in answers. */
  database: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** UUIDv7 of the run. */
  run_id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  /** 1 for the first launch of the run, then 2, 3 … */
  attempt: z.int().min(1),
  /** Random per attempt; written into the result, so that a stale result is never taken for this one. */
  nonce: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  /** `YYYYMMDD_HHMMSS` in UTC: stands in every key of this attempt. */
  timestamp: z.string().regex(/^\d{8}_\d{6}$/),
  /** ISO 8601 instant at which the script ends itself (exit 143), or null for none. */
  deadline: z.iso.datetime().nullable(),
  /** Result keys to export; null for the source's own selection. */
  tables: z.array(z.string()).nullable(),
  format: formatSchema,
  /** Taken beside the tables, unless `tables` names others. */
  datasets: z.array(datasetSchema).default([]),
  /** Only say what would be exported. */
  dry_run: z.boolean(),
  /** Connection, lake and selection settings under the names of `source.json` and of the AWS SDK. */
  env: z.record(z.string(), z.string()),
});
export type Job = z.infer<typeof jobSchema>;
