import { ApiError } from '../../../errors';

/** What kind of failure a server tells, as far as it makes a difference to us. */
export type SqlFailureKind = 'misfit' | 'no-table' | 'memory' | 'data' | 'storage' | 'denied' | 'refused';

/** Names of Trino's error codes, which Athena shares. */
const KINDS: readonly (readonly [RegExp, SqlFailureKind])[] = [
  [/^(INVALID_CAST_ARGUMENT|NUMERIC_VALUE_OUT_OF_RANGE)$/, 'misfit'],
  [/^(TABLE_NOT_FOUND|SCHEMA_NOT_FOUND)$/, 'no-table'],
  [/^(EXCEEDED_\w*MEMORY_LIMIT|CLUSTER_OUT_OF_MEMORY|EXCEEDED_SPILL_LIMIT)$/, 'memory'],
  // What a file that is damaged ends in, among other things.
  [/^HIVE_(BAD_DATA|CANNOT_OPEN_SPLIT|CURSOR_ERROR)$/, 'data'],
  [/^(HIVE_(FILESYSTEM_ERROR|FILE_NOT_FOUND|METASTORE_ERROR)|NO_NODES_AVAILABLE)$/, 'storage'],
  [/^PERMISSION_DENIED$/, 'denied'],
];

/** A statement that failed at the server. Its words may hold values of rows, so they are for the log alone. */
export class SqlFailure extends Error {
  override readonly name = 'SqlFailure';
  readonly kind: SqlFailureKind;

  constructor(
    /** `Trino`, `Athena`. */
    readonly engine: string,
    /** Name of the server's error code: `SYNTAX_ERROR`. */
    readonly code: string,
    message: string,
  ) {
    super(`${code}: ${message}`);
    this.kind = KINDS.find(([pattern]) => pattern.test(code))?.[1] ?? 'refused';
  }

  /** The failure as the gateway tells it: a pack was checked at start, so what is left is ours to look into. */
  told(): ApiError {
    const { engine } = this;
    switch (this.kind) {
      case 'memory':
        return new ApiError('RESULT_TOO_LARGE', 'The query needs more memory than the engine may use', {
          hint: `Ask for less, e.g. a shorter range of time; or give ${engine} more memory.`,
          cause: this,
        });
      case 'data':
      case 'storage':
        return new ApiError('LAKE_UNAVAILABLE', `${engine} cannot read the tables in the lake`, {
          hint: `Can ${engine} reach the bucket and the catalog? Its own words are in the gateway log.`,
          cause: this,
        });
      case 'denied':
        return new ApiError('LAKE_DENIED', `${engine} may not read the tables of this route`, {
          hint: 'Give its user rights on the catalog and the bucket. Its own words are in the gateway log.',
          cause: this,
        });
      default:
        return new ApiError('INTERNAL', 'The query engine refused a statement of this route', { cause: this });
    }
  }
}
