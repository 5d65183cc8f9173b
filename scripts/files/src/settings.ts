import { configError, type SourceEnv } from '@ingesta/kit';

const ENCODINGS = ['auto', 'utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'latin1'] as const;
export type Encoding = (typeof ENCODINGS)[number];

const HEADERS = ['auto', 'yes', 'no'] as const;
export type Header = (typeof HEADERS)[number];

const DELIMITERS: Readonly<Record<string, string>> = { comma: ',', semicolon: ';', tab: '\t', '\\t': '\t', pipe: '|' };

/** How files are to be read. */
export interface Format {
  /** One ASCII character, or null to find it out. */
  delimiter: string | null;
  encoding: Encoding;
  header: Header;
  /** Text without quotes that means NULL. */
  nullText: string;
}

/** Where the files are, checked. */
export interface Settings {
  place: { folder: string } | { lakePrefix: string };
  format: Format;
}

/** Reads the variables of `source.json`. Throws one `configError` that lists every problem. */
export function parseSettings(env: SourceEnv): Settings {
  const problems: string[] = [];
  const choice = <T extends string>(name: string, known: readonly T[]): T => {
    const value = (env[name] || known[0]!).toLowerCase() as T;
    if (!known.includes(value)) problems.push(`${name} is none of ${known.join(', ')}`);
    return value;
  };
  const settings: Settings = {
    place: placeOf(env, problems),
    format: {
      delimiter: delimiterOf(env.FILES_DELIMITER || 'auto', problems),
      encoding: choice('FILES_ENCODING', ENCODINGS),
      header: choice('FILES_HEADER', HEADERS),
      nullText: env.FILES_NULL ?? '',
    },
  };
  if (problems.length > 0) throw configError(problems.join('; '), 'Correct the named variables.');
  return settings;
}

function placeOf(env: SourceEnv, problems: string[]): Settings['place'] {
  const folder = env.FILES_PATH ?? '';
  const given = env.FILES_LAKE_PREFIX ?? '';
  if (given === '') {
    if (folder === '') problems.push('FILES_PATH is not set, nor is FILES_LAKE_PREFIX');
    return { folder };
  }
  if (folder !== '') problems.push('FILES_PATH and FILES_LAKE_PREFIX are both set: keep one of them');
  const lakePrefix = given.replace(/^\/+|\/+$/g, '');
  const segments = lakePrefix.split('/');
  // The records live there, and tables are never made of those.
  if (segments[0] === '_ingesta' || segments.some((name) => name === '' || name.startsWith('.'))) {
    problems.push('FILES_LAKE_PREFIX must be a folder of the lake like entregas/ventas, and none of its records');
  }
  return { lakePrefix };
}

function delimiterOf(value: string, problems: string[]): string | null {
  if (value.toLowerCase() === 'auto') return null;
  const delimiter = DELIMITERS[value.toLowerCase()] ?? value;
  if (!/^[\t\x20-\x7e]$/.test(delimiter) || delimiter === '"') {
    problems.push('FILES_DELIMITER is none of auto, comma, semicolon, tab, pipe, and no single ASCII character');
  }
  return delimiter;
}
