import type { Column } from '@ingesta/kit';
import { candidateTypes, FALLBACK_TYPE, type TwinColumn } from '../twin-columns';
import { quoteName, quoteText } from '../with-tables';

/** Where a CSV of the lake is, and how it is to be read. */
export interface CsvFile {
  /** In order; each begins with the header line. */
  files: readonly string[];
  gzip: boolean;
  /** Each file by several threads: only where no line break stands in quotes. */
  parallel: boolean;
  /** No row is longer; rows of up to 2 MB are read whatever it says. */
  rowBytes: number;
}

/** DuckDB's own. */
const LEAST_LINE_BYTES = 2_000_000;
/** A quarter of DuckDB's own: half the memory of a conversion, and no more time. */
const LEAST_BUFFER_BYTES = 8_000_000;

/** Digits of a decimal that DuckDB keeps in 64 bits. */
const NARROW = 18;

const columnName = (index: number): string => `c${index}`;

/** A CSV as the contract writes it, all columns as text under the names c0, c1 …; its header line as a row, if asked for. */
function readCsv({ files, gzip, parallel, rowBytes }: CsvFile, columns: number, header = false): string {
  const names = Array.from({ length: columns }, (_, index) => `'${columnName(index)}': 'VARCHAR'`);
  const options = [
    'auto_detect = false',
    `columns = {${names.join(', ')}}`,
    `header = ${!header}`,
    `delim = ','`,
    `quote = '"'`,
    `escape = '"'`,
    `new_line = '\\n'`,
    // An empty field is NULL, and `""` is not.
    `nullstr = ''`,
    'allow_quoted_nulls = false',
    `parallel = ${parallel}`,
    `compression = '${gzip ? 'gzip' : 'none'}'`,
    `max_line_size = ${Math.max(LEAST_LINE_BYTES, rowBytes)}`,
    `buffer_size = ${Math.max(LEAST_BUFFER_BYTES, rowBytes)}`,
  ];
  return `read_csv([${files.map(quoteText).join(', ')}], ${options.join(', ')})`;
}

/** The names in a CSV's header line. */
export const headerSql = (csv: CsvFile, columns: number): string =>
  `FROM ${readCsv({ ...csv, files: csv.files.slice(0, 1) }, columns, true)} LIMIT 1`;

/**
 * Makes the Parquet file of those rows whose values all fit their types; the count tells whether that was all of them.
 * As a filter the tests cost a tenth of what they cost inside of the casts.
 */
export function copySql(csv: CsvFile, columns: readonly TwinColumn[], parquet: string, rowGroup: number): string {
  const list = columns.map(({ name, type }, index) => `${cast(index, type)} AS ${quoteName(name)}`);
  const tests = columns.flatMap(({ type }, index) => {
    const test = isExact(index, type);
    // NULL fits everything. Of an OR on top DuckDB looks at the next part only for rows that the one before left.
    return test === null ? [] : [`(${test} OR ${columnName(index)} IS NULL)`];
  });
  const where = tests.length > 0 ? ` WHERE ${tests.join(' AND ')}` : '';
  const from = readCsv(csv, columns.length);
  // Level 3, DuckDB's own, costs a fifth more time for files of the same size.
  const options = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${rowGroup}`;
  return `COPY (SELECT ${list.join(', ')} FROM ${from}${where}) TO ${quoteText(parquet)} (${options})`;
}

/** Counts the rows, and for each column and each of its types but the last the values that do not fit, in this order. */
export function misfitsSql(csv: CsvFile, columns: readonly Column[]): string {
  const counts = columns.flatMap((column, index) =>
    candidateTypes(column)
      .slice(0, -1)
      .map((type) => {
        const fits = `coalesce(TRY_CAST(${columnName(index)} AS ${type}) IS NOT NULL AND (${isExact(index, type, 'TRY_CAST')}), false)`;
        return `count(*) FILTER (${columnName(index)} IS NOT NULL AND NOT ${fits})`;
      }),
  );
  return `SELECT ${['count(*)', ...counts].join(', ')} FROM ${readCsv(csv, columns.length)}`;
}

function cast(index: number, type: string): string {
  const text = columnName(index);
  if (type === FALLBACK_TYPE) return text;
  const [precision, scale] = /^decimal\((\d+),(\d+)\)$/.exec(type)?.slice(1).map(Number) ?? [];
  const whole = NARROW - scale!;
  if (precision === undefined || precision <= NARROW || whole < 1) return `CAST(${text} AS ${type})`;
  // Twenty times faster for what fits into 64 bits.
  const isNarrow = `strlen(${text}) <= ${whole} OR strpos(${text}, '.') BETWEEN 1 AND ${whole + 1}`;
  const narrow = `CAST(CAST(${text} AS decimal(${NARROW},${scale})) AS ${type})`;
  return `CASE WHEN ${isNarrow} THEN ${narrow} ELSE CAST(${text} AS ${type}) END`;
}

/**
 * A test which tells that the cast loses nothing; null where it cannot. DuckDB's casts are lax: they round `1.5` to an
 * integer, take the zone off a timestamp, and read `0044-03-15 BC` as a year of our era.
 */
function isExact(index: number, type: string, castWord = 'CAST'): string | null {
  const text = columnName(index);
  const value = `${castWord}(${text} AS ${type})`;
  switch (type) {
    case FALLBACK_TYPE:
      return null;
    case 'boolean':
      return `${text} IN ('true', 'false')`;
    case 'bigint':
    case 'decimal(38,0)':
      return `${castWord}(${value} AS VARCHAR) = ${text}`;
    case 'double':
      // Overflow gives an infinity, underflow a zero.
      return `(isfinite(${value}) OR ${text} IN ('NaN', 'Infinity', '-Infinity')) AND (${value} <> 0 OR regexp_full_match(${text}, '-?0+([.]0+)?([eE].*)?'))`;
    case 'date':
      return `strlen(${text}) = 10 AND ${text} >= '0001'`;
    case 'timestamp':
      return `${isPlainTimestamp(text, 0)} AND NOT contains(${text}, '+') AND NOT contains(substr(${text}, 12), '-') AND right(${text}, 1) <= '9'`;
    case 'timestamp with time zone':
      return `${isPlainTimestamp(text, 3)} AND suffix(${text}, '+00')`;
    default: {
      const scale = Number(/,(\d+)\)$/.exec(type)![1]);
      const behind = `strlen(${text}) - strpos(${text}, '.')`;
      const all = `(${behind} <= ${scale} OR NOT contains(${text}, '.')) AND NOT contains(${text}, 'e') AND NOT contains(${text}, 'E')`;
      // Most are amounts. LIKE costs a fifth of the rest; what fits behind its point is two digits, or an exponent like `e9`.
      return scale === 0 ? all : `${text} LIKE '%.${'_'.repeat(Math.min(scale, 2))}' OR (${all})`;
    }
  }
}

/** `2025-01-02 15:30:45.123456`, of our era, with at most six digits behind the point and `zone` characters behind all. */
const isPlainTimestamp = (text: string, zone: number): string =>
  `strlen(${text}) BETWEEN ${19 + zone} AND ${26 + zone} AND ${text} >= '0001'`;
