import { FileProblem } from './file-problem';
import { RecordReader } from './record-reader';
import type { Format } from './settings';

/** What auto looks for; where two fit equally well, the earlier one. */
const CANDIDATES = ['\t', ';', '|', ','];
/** A number (also `1.234,50`, `12 %`, `$5`) or a date in digits: nothing that a column is called. */
const DATUM = /^[\s+\-$\u20ac]*\d[\d.,' ]*\s*%?$|^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?$/;

/** Longer texts are none, and would keep the pattern busy. */
const isDatum = (text: string): boolean => text.length <= 64 && DATUM.test(text);

/** How the fields of one CSV are told apart, and what its columns are called. */
export interface Dialect {
  delimiter: string;
  hasHeader: boolean;
  columns: CsvColumn[];
  /** The first record, where it was guessed to be data: it may be names after all. */
  maybeNames: string[];
  /** True where every record of the sample has more than one field, and as many as the first. */
  regular: boolean;
  /** Data rows per byte, as the sample has it. */
  rowsPerByte: number;
}

export interface CsvColumn {
  name: string;
  /** As the header has it: duplicates and blanks get another name. */
  original: string;
}

/** Finds out from the file's first bytes (all of them, if `complete`). Null if no record ends in them. */
export function detectDialect(sample: Uint8Array, complete: boolean, format: Format, isTsv: boolean): Dialect | null {
  const candidates = format.delimiter !== null ? [format.delimiter] : CANDIDATES;
  const readings = candidates.map((delimiter) => readSample(sample, complete, delimiter));
  const wide = readings.filter(({ records }) => (records[0]?.length ?? 0) > 1);
  wide.sort(
    (a, b) =>
      Number(b.regular) - Number(a.regular) ||
      Number(isTsv && b.delimiter === '\t') - Number(isTsv && a.delimiter === '\t') ||
      b.records[0]!.length - a.records[0]!.length,
  );
  const fallback = isTsv ? '\t' : ',';
  const best = notDecimalComma(wide) ?? readings.find(({ delimiter }) => delimiter === fallback) ?? readings[0]!;
  const first = best.records[0];
  if (first === undefined) {
    // A quote may stand where no delimiter of ours makes it the first of a field.
    if (best.problem !== null) throw best.problem;
    return null;
  }
  if (first.some((text) => text.includes('\0'))) {
    throw new FileProblem('its first line holds NUL bytes', 'Is it UTF-16 without a mark? Then set FILES_ENCODING.');
  }
  const hasHeader = format.header === 'auto' ? !first.some(isDatum) : format.header === 'yes';
  const isGuess = format.header === 'auto' && !hasHeader;
  return {
    delimiter: best.delimiter,
    hasHeader,
    columns: nameColumns(hasHeader ? first : first.map(() => '')),
    maybeNames: isGuess ? first : [],
    regular: best.regular,
    rowsPerByte: (best.records.length - (hasHeader ? 1 : 0)) / sample.length,
  };
}

interface Reading {
  delimiter: string;
  records: string[][];
  regular: boolean;
  problem: FileProblem | null;
}

function readSample(sample: Uint8Array, complete: boolean, delimiter: string): Reading {
  const records: string[][] = [];
  let record: string[] = [];
  const reader = new RecordReader(delimiter, {
    field: (bytes, start, end) => record.push(Buffer.from(bytes.subarray(start, end)).toString('utf8')),
    endRecord: () => {
      records.push(record);
      record = [];
    },
  });
  let problem: FileProblem | null = null;
  try {
    reader.push(sample);
    if (complete) reader.end();
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    problem = error;
  }
  const width = records[0]?.length ?? 0;
  const isBlank = (fields: string[]) => fields.length === 1 && fields[0] === '';
  const regular =
    problem === null && width > 1 && records.every((fields) => fields.length === width || isBlank(fields));
  return { delimiter, records, regular, problem };
}

/** The first, unless all its commas stand between digits and another one fits as well: `1,5;2,7` is two numbers. */
function notDecimalComma([first, ...others]: Reading[]): Reading | undefined {
  if (first?.delimiter !== ',') return first;
  const fields = first.records[0]!;
  const inNumbers = fields.every(
    (text, i) => (i === 0 || /^\d/.test(text)) && (i === fields.length - 1 || /\d$/.test(text)),
  );
  return (inNumbers && others.find(({ regular }) => regular)) || first;
}

/** `id, id, ''` become `id, id_2, column_3`. */
export function nameColumns(header: readonly string[]): CsvColumn[] {
  const given = new Set(header);
  const taken = new Set<string>();
  return header.map((original, i) => {
    const base = original || `column_${i + 1}`;
    let name = base;
    // Nor a name that another column brings along.
    for (let n = 2; taken.has(name) || (name !== original && given.has(name)); n++) name = `${base}_${n}`;
    taken.add(name);
    return { name, original };
  });
}
