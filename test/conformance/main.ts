import { conformance, holds } from './conformance';
import { openSubject } from './open-subject';
import { parseOptions, readEnvFiles, USAGE, UsageError } from './options';
import { summary, tableHead, tableLine } from './table';

/** Exit code 0 if all holds, 1 if not, 2 where nothing could be checked. */
async function main(argv: readonly string[]): Promise<number> {
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  if (argv.includes('--help')) {
    say(USAGE);
    return 0;
  }
  const options = parseOptions(argv);
  const env = readEnvFiles(options.envFiles, process.env);
  const subject = await openSubject(options);
  say(`${options.target.join(' ')} (${subject.kind}) as source ${subject.name}\n\n${tableHead()}`);
  const lines = await conformance(subject, env, options.only, (line) => say(tableLine(line)));
  say(`\n${summary(lines)}`);
  return holds(lines, options.strict) ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(
      error instanceof UsageError
        ? `${error.message}\nnpm run conformance -- --help tells more.\n`
        : `${error.stack}\n`,
    );
    process.exit(2);
  },
);
