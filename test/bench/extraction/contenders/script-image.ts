import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../../../services/command';
import { docker } from '../../../services/images';
import { dockerEnv } from '../../../services/need';
import { MARKERS } from '../../../services/service';
import { PREFIX } from '../../image-prefix';
import { ROOT } from '../../root';
import type { Contender } from '../contender';
import { countCsv } from '../count-rows';
import { jobOf, resultOf } from './script';

const BUILD_MS = 600_000;
const POLL_MS = 20;
/** The gateway's default for a script's container. */
const MEMORY = '256m';

/**
 * This project's script as the gateway starts it: its image, hardened, writing into a mounted folder. Memory is that of
 * its processes as this machine's kernel counts it; the control group's own peak would count the written file's pages.
 */
export function scriptImage(source: string): Contender {
  const image = `${PREFIX}${source}:latest`;
  return {
    id: 'script-image',
    title: 'this project, image → folder',
    role: 'ours',
    prepare: async () => {
      if (!process.env[MARKERS.docker]) throw new Error('no Docker engine on this machine');
      const args = ['--prefix', PREFIX, '--node-image', dockerEnv().nodeImage, source];
      await runCommand('bash', [join(ROOT, 'build-images.sh'), ...args], { cwd: ROOT, timeoutMs: BUILD_MS });
      const node = ['run', '--rm', '--entrypoint', '/usr/local/bin/node', image, '--version'];
      return `Node ${(await docker(node)).trim().slice(1)}`;
    },
    program: async (table, folder) => {
      await chmod(folder, 0o777);
      const { DOCKER_HOST } = process.env;
      const env: Record<string, string> = DOCKER_HOST ? { DOCKER_HOST } : {};
      const idFile = join(folder, '..', 'container');
      const place = ['--volume', `${folder}:/lake`, '--add-host', 'host.docker.internal:host-gateway'];
      const limits = ['--memory', MEMORY, '--memory-swap', MEMORY, '--cap-drop', 'ALL', '--read-only', '--init'];
      const user = process.getuid ? ['--user', `${process.getuid()}:${process.getgid?.()}`] : [];
      return {
        command: 'docker',
        args: [
          ...['run', '--rm', '--interactive', '--cidfile', idFile, '--env', 'INGESTA_JOB=stdin'],
          ...[...place, ...limits, ...user, '--security-opt', 'no-new-privileges', image],
        ],
        env,
        stdin: jobOf(source, table, { LAKE_URL: 'file:///lake' }),
        memoryOf: (ended) => processOf(idFile, ended),
      };
    },
    output: async (_table, folder, stdout) => {
      const { key, registros } = resultOf(stdout);
      const { rows, bytes } = await countCsv(join(folder, key));
      if (rows !== registros) throw new Error(`says ${registros} rows, wrote ${rows}`);
      return { rows, bytes };
    },
  };
}

/** The container's first process as this machine numbers it; undefined where it has ended before, or has no number here. */
async function processOf(idFile: string, ended: AbortSignal): Promise<number | undefined> {
  while (!ended.aborted) {
    const id = await readFile(idFile, 'utf8').catch(() => '');
    const answer = id && (await docker(['inspect', '--format', '{{.State.Pid}}', id]).catch(() => ''));
    if (Number(answer) > 0) return Number(answer);
    await sleep(POLL_MS);
  }
  return undefined;
}
