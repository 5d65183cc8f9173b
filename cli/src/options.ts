import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Options } from './context';
import { UsageError } from './errors';

const OPTIONS = {
  url: { type: 'string' },
  key: { type: 'string' },
  'key-file': { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
  all: { type: 'boolean' },
  follow: { type: 'boolean', short: 'f' },
  detach: { type: 'boolean', short: 'd' },
  attach: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  tables: { type: 'string', short: 't', multiple: true },
  format: { type: 'string' },
  slot: { type: 'string' },
  'idempotency-key': { type: 'string' },
  parallel: { type: 'string' },
  'retry-for': { type: 'string' },
  timeout: { type: 'string' },
  db: { type: 'string' },
  state: { type: 'string' },
  limit: { type: 'string' },
  grant: { type: 'string', multiple: true },
} as const satisfies ParseArgsConfig['options'];

type OptionName = keyof typeof OPTIONS;

/** Options that every command takes. */
const COMMON: readonly OptionName[] = ['url', 'key', 'key-file', 'json', 'quiet', 'help', 'version'];
const PATIENT: readonly OptionName[] = ['retry-for', 'timeout'];

const OF_COMMAND: Readonly<Record<string, readonly OptionName[]>> = {
  run: [
    ...['all', 'follow', 'detach', 'attach', 'dry-run', 'tables', 'format'],
    ...['slot', 'idempotency-key', 'parallel', ...PATIENT],
  ] as OptionName[],
  runs: ['db', 'state', 'limit'],
  show: ['follow', ...PATIENT],
  logs: [],
  cancel: [],
  sources: [],
  keys: ['grant'],
};

export interface CommandLine {
  /** Null where only help or the version is asked for, or nothing at all. */
  command: string | null;
  names: string[];
  help: boolean;
  version: boolean;
  quiet: boolean;
  connection: { url: string | null; key: string | null; keyFile: string | null };
  options: Options;
}

/** Throws `UsageError` with what is wrong with the arguments. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parsed(args);
  const [command = null, ...names] = positionals;
  const { help = false, version = false, quiet = false } = values;
  if (command !== null && !help) {
    const own = Object.hasOwn(OF_COMMAND, command) ? OF_COMMAND[command] : undefined;
    if (own === undefined) throw new UsageError(`There is no command ${command}`);
    const stray = (Object.keys(values) as OptionName[]).find((name) => !COMMON.includes(name) && !own.includes(name));
    if (stray !== undefined) throw new UsageError(`${command} takes no --${stray}`);
  }
  return {
    command,
    names,
    help,
    version,
    quiet,
    connection: { url: values.url ?? null, key: values.key ?? null, keyFile: values['key-file'] ?? null },
    options: {
      json: values.json ?? false,
      all: values.all ?? false,
      follow: values.follow ?? false,
      detach: values.detach ?? false,
      attach: values.attach ?? false,
      dryRun: values['dry-run'] ?? false,
      tables: values.tables?.flatMap((list) => list.split(',').map((name) => name.trim())).filter(Boolean) ?? null,
      format: oneOf('format', values.format ?? 'csv', ['csv', 'csv.gz']),
      slot: values.slot ?? null,
      idempotencyKey: values['idempotency-key'] ?? null,
      parallel: whole('parallel', values.parallel ?? '4', 1, 64),
      retryForMs: whole('retry-for', values['retry-for'] ?? '300', 0, 604_800) * 1000,
      timeoutMs: values.timeout === undefined ? null : whole('timeout', values.timeout, 1, 604_800) * 1000,
      grants: values.grant ?? [],
      db: values.db ?? null,
      state: values.state ?? null,
      limit: whole('limit', values.limit ?? '20', 1, 10_000),
    },
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d{1,7}$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`--${name} ${text}: must be a whole number from ${min} to ${max}`);
}

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((value) => value === text);
  if (found === undefined) throw new UsageError(`--${name} ${text}: must be ${known.join(' or ')}`);
  return found;
}
