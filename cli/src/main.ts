import { version } from '../package.json';
import { keys } from './commands/keys';
import { cancel, logs, show } from './commands/one-run';
import { run } from './commands/run';
import { runs } from './commands/runs';
import { sources } from './commands/sources';
import { tellFailure } from './commands/tell-failure';
import { connectionOf } from './connection';
import type { Context } from './context';
import { UsageError } from './errors';
import { EXIT, type ExitCode } from './exit-codes';
import { Gateway } from './gateway';
import { HELP } from './help';
import { type CommandLine, parseCommandLine } from './options';
import { systemTime } from './patience';
import { BarView } from './progress/bar-view';
import { LineView } from './progress/line-view';
import { type ProgressView, silentView } from './progress/progress-view';

type Command = (context: Context, names: readonly string[]) => Promise<ExitCode>;

const COMMANDS: Readonly<Record<string, Command>> = { run, runs, show, logs, cancel, sources, keys };

/** Ctrl-C, or SIGTERM. */
class Stopped extends Error {
  constructor(readonly exitCode: ExitCode) {
    super('Stopped waiting');
  }
}

const out = (line: string): void => void process.stdout.write(`${line}\n`);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: readonly string[]): Promise<ExitCode> {
  const line = parseCommandLine(args);
  if (line.version) return print(version);
  if (line.help) return print(HELP.trimEnd());
  if (line.command === null) throw new UsageError('Name a command');
  // `keys` asks no gateway: what the environment says of one cannot be wrong for it.
  const { url, key, warning } = connectionOf(line.connection, line.command === 'keys' ? {} : process.env);
  if (warning !== null && !line.quiet) say(warning);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new Stopped(EXIT.INTERRUPTED)));
  process.once('SIGTERM', () => stop.abort(new Stopped(EXIT.TERMINATED)));
  const context: Context = {
    gateway: new Gateway(url, key, `ingesta-cli/${version}`),
    options: line.options,
    out,
    say,
    view: viewOf(line),
    signal: stop.signal,
    time: systemTime,
    now: () => new Date(),
  };
  return COMMANDS[line.command]!(context, line.names);
}

function viewOf({ quiet, options }: CommandLine): ProgressView {
  if (quiet) return silentView(() => undefined);
  if (!options.follow) return silentView(say);
  return process.stderr.isTTY && process.env.TERM !== 'dumb' ? new BarView(process.stderr) : new LineView(say);
}

function print(text: string): ExitCode {
  out(text);
  return EXIT.OK;
}

function failed(error: unknown): ExitCode {
  if (error instanceof Stopped) {
    say('Stopped waiting. A run that has begun goes on: `ingesta runs` lists it, `ingesta cancel` stops it.');
    return error.exitCode;
  }
  if (error instanceof UsageError) {
    say(`ingesta: ${error.message}`);
    say('`ingesta --help` says more.');
    return EXIT.USAGE;
  }
  const code = tellFailure({ say }, 'ingesta', error);
  if (code !== null) return code;
  say(`ingesta: ${(error as Error).stack ?? error}`);
  return EXIT.INTERNAL;
}

// `ingesta runs | head` closes the pipe: that is no failure, and no success either. What is done goes on unheard.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

main(process.argv.slice(2))
  .catch(failed)
  .then((code) => {
    process.exitCode = code;
  });
