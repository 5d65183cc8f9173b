import { createHash } from 'node:crypto';
import { type ManifestEntry, type ObjectHead, parquetKey } from '@ingesta/kit';
import { candidateTypes, FALLBACK_TYPE, type TwinColumn, twinColumns } from './twin-columns';

/** The typed Parquet object beside a committed CSV: the same rows, for every engine. */
export interface Twin {
  key: string;
  bytes: number;
  /** Lower-case hex SHA-256 of the object. */
  sha256: string;
  columns: readonly TwinColumn[];
}

/** Makes twins after a publication. */
export interface TwinMaker {
  /**
   * The twin of one committed object; made and uploaded unless it is there. Safe to call again and from several
   * processes. Throws `ApiError`, and the signal's reason when aborted; the published run is never touched.
   */
  makeTwin(database: string, table: string, entry: ManifestEntry, signal: AbortSignal): Promise<Twin>;
}

/** Also looks after those that are there. */
export interface TwinKeeper extends TwinMaker {
  /**
   * Reads the twin of one committed object as a whole, and replaces it where it is damaged: whether it was. Whoever reads
   * it meanwhile gets the one or the other. Throws as `makeTwin` does.
   */
  repairTwin(database: string, table: string, entry: ManifestEntry, signal: AbortSignal): Promise<boolean>;
}

/** Metadata of a twin's object. */
const SHA256 = 'ingesta-sha256';
const SOURCE = 'ingesta-source';
const TYPES = 'ingesta-types';

/** S3 takes 2 KB of metadata in all. */
const MAX_TYPES_BYTES = 1200;

/** Metadata that stands for "every column is text", where the exceptions do not fit. */
const ALL_TEXT = 'text';

/** Raised whenever twins of before may be wrong. 2: a line break at the start of a row could be lost where threads met. */
const MAKING = 2;

/**
 * Which rows a twin holds and as what: the digest of the CSV, and what its columns are called and may be. Two tables may
 * have the same bytes and other types, and a later gateway may choose among others, or make them otherwise.
 */
export const twinIdentity = ({ sha256, columns }: Pick<ManifestEntry, 'sha256' | 'columns'>): string =>
  createHash('sha256')
    .update(JSON.stringify([MAKING, sha256, columns.map((column) => [column.name, ...candidateTypes(column)])]))
    .digest('hex');

/** The types as metadata: only the columns that did not get their best type, by position. Null where that is too long. */
export function typesMetadata({ columns }: Pick<ManifestEntry, 'columns'>, types: readonly string[]): string | null {
  if (types.every((type) => type === FALLBACK_TYPE)) return ALL_TEXT;
  const exceptions = columns.flatMap((column, index) => {
    const rung = candidateTypes(column).indexOf(types[index]!);
    return rung === 0 ? [] : [`${index}:${rung}`];
  });
  const text = exceptions.join(' ');
  return text.length <= MAX_TYPES_BYTES ? text : null;
}

/** The types that `typesMetadata` wrote. Throws `Error` if it cannot have. */
export function typesOf({ columns }: Pick<ManifestEntry, 'columns'>, metadata: string): string[] {
  if (metadata === ALL_TEXT) return columns.map(() => FALLBACK_TYPE);
  const types = columns.map((column) => candidateTypes(column)[0]!);
  for (const exception of metadata.split(' ').filter(Boolean)) {
    const [index, rung] = exception.split(':').map(Number);
    const type = columns[index!] && candidateTypes(columns[index!]!)[rung!];
    if (type === undefined) throw new Error(`a twin's types say ${JSON.stringify(exception)}`);
    types[index!] = type;
  }
  return types;
}

/** What a twin's object says of itself. S3 keeps no empty value, so an empty list of exceptions is left out. */
export const twinMetadata = (
  entry: ManifestEntry,
  { sha256, types }: { sha256: string; types: string },
): Record<string, string> => ({
  [SHA256]: sha256,
  [SOURCE]: twinIdentity(entry),
  ...(types && { [TYPES]: types }),
});

/** The twin that an object is, or null if it is none of this entry: nothing that does not say so is believed. */
export function twinOf(entry: ManifestEntry, head: ObjectHead): Twin | null {
  const { [SHA256]: sha256, [SOURCE]: source, [TYPES]: types = '' } = head.metadata ?? {};
  if (sha256 === undefined || source !== twinIdentity(entry)) return null;
  return { key: head.key, bytes: head.bytes, sha256, columns: twinColumns(entry.columns, typesOf(entry, types)) };
}

/** Where the twin of a table's entry lies. */
export const twinKey = (database: string, table: string, entry: ManifestEntry): string =>
  parquetKey(database, table, entry.run_id);
