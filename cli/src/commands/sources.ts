import type { SourceStatus } from '../answers';
import type { Context } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import { duration } from '../quantities';
import { textTable } from '../text-table';

/** `ingesta sources`: what can be run, what is missing, and how old the last snapshot is. */
export async function sources({ gateway, options, out, signal }: Context): Promise<ExitCode> {
  const { body } = await gateway.json<{ sources: SourceStatus[] }>('/api/ingesta', { signal });
  if (options.json) for (const source of body.sources) out(JSON.stringify(source));
  else for (const line of textTable(COLUMNS, body.sources.map(lineOf))) out(line);
  return EXIT.OK;
}

const COLUMNS = [{ title: 'SOURCE' }, { title: 'LAST RUN' }, { title: 'IMAGE' }, { title: 'LACKS' }];

const lineOf = (source: SourceStatus): string[] => [
  source.name,
  source.last_run === null ? '-' : `${duration(source.last_run.age_seconds * 1000)} ago`,
  source.image,
  lackOf(source) || '-',
];

/** What a source cannot run without; the gateway also explains each variable, which would fill the screen here. */
export const lackOf = ({ present, hint, missing_env }: SourceStatus): string =>
  present ? (missing_env ?? []).map((problem) => problem.replace(/ \(.*\)$/s, '')).join('; ') : (hint ?? 'its image');
