import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** What the command line asks for. */
export interface Options {
  readonly strict: boolean;
  readonly name: string | undefined;
  readonly network: string | null;
  readonly timeoutMs: number;
  /** Names of checks; empty for all. */
  readonly only: readonly string[];
  readonly envFiles: readonly string[];
  /** An image, a folder with source.json, or a command with its arguments. */
  readonly target: readonly string[];
}

/** A mistake of the person at the keyboard. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `Checks a source's script against the contract (docs/writing-a-source.md).

  npm run conformance -- [options] <image>
  npm run conformance -- [options] <folder with source.json>
  npm run conformance -- [options] <command> [arguments]

  --env-file <file>    settings, one NAME=value per line; those of the environment win; may be given again
  --name <name>        the source's name, where neither the image's label nor a folder tells it
  --network <name>     the Docker network of the containers
  --timeout <seconds>  for one launch, 120 unless told
  --only <a,b>         only these checks
  --strict             what could not be checked counts as failed

The settings are those that the script's own --describe names. The lake is a temporary folder, or the bucket that
AWS_BUCKET_NAME names, in which all stays below a prefix of its own and is removed in the end. Queries to try are the
files below DATASETS_DIR/<name>.
`;

/** Options stand before the target: what follows it belongs to the command. */
export function parseOptions(argv: readonly string[]): Options {
  const rest = [...argv];
  const lists: Record<string, string[]> = {
    '--env-file': [],
    '--name': [],
    '--network': [],
    '--timeout': [],
    '--only': [],
  };
  let strict = false;
  while (rest[0]?.startsWith('--')) {
    const flag = rest.shift()!;
    if (flag === '--') break;
    if (flag === '--strict') strict = true;
    else if (lists[flag] === undefined) throw new UsageError(`There is no option ${flag}`);
    else if (rest.length === 0) throw new UsageError(`${flag} needs a value`);
    else lists[flag].push(rest.shift()!);
  }
  if (rest.length === 0) throw new UsageError('Say what is to be checked: an image, a folder, or a command');
  const seconds = lists['--timeout']!.at(-1) ?? '120';
  if (!/^[1-9]\d{0,4}$/.test(seconds)) throw new UsageError(`--timeout ${seconds} is no number of seconds`);
  return {
    strict,
    name: lists['--name']!.at(-1),
    network: lists['--network']!.at(-1) ?? null,
    timeoutMs: Number(seconds) * 1000,
    only: lists['--only']!.flatMap((list) => list.split(',')).map((name) => name.trim()),
    envFiles: lists['--env-file']!,
    target: rest,
  };
}

/** The files' variables, and over them those of the environment. */
export function readEnvFiles(
  files: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const read = (file: string) => {
    try {
      return parseEnv(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new UsageError(`--env-file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  };
  return Object.assign({}, ...files.map(read), env);
}
