import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { SOURCE_NAME, sourceDescriptionSchema } from '@ingesta/kit';
import { type Options, UsageError } from './options';
import { CommandSubject } from './subjects/command-subject';
import type { Subject } from './subjects/subject';

/** The image, folder or command that the command line names. */
export async function openSubject(
  options: Pick<Options, 'target' | 'name' | 'network' | 'timeoutMs'>,
): Promise<Subject> {
  const { target, timeoutMs } = options;
  const [first, ...others] = target;
  if (others.length === 0 && existsSync(join(first!, 'source.json'))) {
    const cwd = resolve(first!);
    return new CommandSubject({ name: nameOf(options.name ?? basename(cwd)), command: commandIn(cwd), cwd, timeoutMs });
  }
  if (others.length > 0 || existsSync(first!)) {
    const command = target.map((part) => (existsSync(part) && part.includes('/') ? resolve(part) : part));
    const name = nameOf(options.name ?? nameByFolder(command));
    return new CommandSubject({ name, command, cwd: process.cwd(), timeoutMs });
  }
  const [{ openDocker }, { ImageSubject }] = await Promise.all([
    import('../../gateway/src/runners/open-docker'),
    import('./subjects/image-subject'),
  ]);
  try {
    const { name, network } = options;
    return await ImageSubject.open(openDocker(), { image: first!, name, network, timeoutMs });
  } catch (error) {
    throw new UsageError(
      `${first} is no file or folder here, and as an image it cannot be had: ${(error as Error).message}`,
    );
  }
}

function commandIn(folder: string): readonly string[] {
  try {
    return sourceDescriptionSchema.parse(JSON.parse(readFileSync(join(folder, 'source.json'), 'utf8'))).command;
  } catch (error) {
    throw new UsageError(`${folder}/source.json is malformed: ${(error as Error).message}`);
  }
}

/** The source whose folder the command's program lies in. */
function nameByFolder(command: readonly string[]): string {
  for (const file of command.filter((part) => existsSync(part) && statSync(part).isFile())) {
    for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
      if (existsSync(join(folder, 'source.json'))) return basename(folder);
    }
  }
  throw new UsageError('No source.json is above the program, which would tell the source: give --name');
}

function nameOf(name: string): string {
  if (!SOURCE_NAME.test(name)) throw new UsageError(`"${name}" is no name of a source: give --name`);
  return name;
}
