import * as z from 'zod';

/** One environment variable a source reads. Each may also be given as `<NAME>_FILE`, a path to a file with the value. */
export const envVariableSchema = z
  .object({
    name: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
    description: z.string(),
    /** Other names for the same setting; the first that is set wins. */
    aliases: z.array(z.string()).default([]),
    required: z.boolean().default(false),
    /** A variable that makes this one needless when it is set (`MONGO_URI` for `MONGO_HOST`). */
    unless: z.string().optional(),
    default: z.string().optional(),
    /** Never logged, never in an error. */
    secret: z.boolean().default(false),
    /** This variable is the database's host, or a URL with it: `localhost` is refused inside a container. */
    host: z.boolean().default(false),
  })
  .strict();
export type EnvVariable = z.infer<typeof envVariableSchema>;

/**
 * `source.json`: all that the gateway knows of a source. It lies in the source's folder, goes into its image, and
 * `--describe` prints it.
 */
export const sourceDescriptionSchema = z
  .object({
    /** Shown to people: `PostgreSQL`. */
    title: z.string().min(1),
    /** `POSTGRES_`: the selection settings are `<prefix>TABLES` and the like. */
    env_prefix: z.string().regex(/^[A-Z][A-Z0-9_]*_$/),
    env: z.array(envVariableSchema),
    /** Command of the process runner, run in the source's folder. */
    command: z.array(z.string()).min(1),
  })
  .strict();
export type SourceDescription = z.infer<typeof sourceDescriptionSchema>;

/** A source's folder name: path part, key prefix, image suffix. */
export const SOURCE_NAME = /^[a-z][a-z0-9-]*$/;
/** Names that would collide with routes of the gateway. */
export const RESERVED_SOURCE_NAMES: readonly string[] = ['runs', 'health'];
