import { type ChildProcess, fork } from 'node:child_process';
import { LakeError } from '@ingesta/kit';
import { ApiError } from '../../errors';
import { doesNotHold } from '../verify';
import type { VerifierAnswer, VerifierTask } from './messages';
import type { ClaimedObject, Verifier } from './verifier';

const STDERR_CHARS = 4096;

export interface VerifierChildOptions {
  /** The worker's bundle. */
  program: string;
  /** What opens the lake: goes over the child's channel. */
  lakeEnv: Readonly<Record<string, string>>;
  /** What the program needs of its surroundings; no secret. */
  env: Readonly<Record<string, string>>;
}

/** A process per verification: no row comes near the gateway's own, and nothing stays when it is done. */
export class VerifierChild implements Verifier {
  constructor(private readonly options: VerifierChildOptions) {}

  async readBack(objects: readonly ClaimedObject[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { program, env, lakeEnv } = this.options;
    const child = fork(program, [], {
      // Not the gateway's own flags, which favour size over speed.
      execArgv: ['--max-old-space-size=128', '--max-semi-space-size=1'],
      env: { ...env, MALLOC_ARENA_MAX: '1' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const kill = () => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    try {
      const task: VerifierTask = { lakeEnv, objects };
      settle(await answerOf(child, task), signal);
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }
}

/** What the child said, once it is gone; a defect where it said nothing. */
function answerOf(child: ChildProcess, task: VerifierTask): Promise<VerifierAnswer> {
  return new Promise((resolve) => {
    let [answer, stderr]: [VerifierAnswer | null, string] = [null, ''];
    child.stderr!.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_CHARS);
    });
    child.once('message', (message: VerifierAnswer) => {
      answer = message;
    });
    const ended = (how: string) => resolve(answer ?? { kind: 'defect', stack: `${how} ${stderr}` });
    child.once('error', (error) => ended(error.message));
    child.once('close', (code, signal) => ended(`it ended with ${signal ?? `exit code ${code}`}`));
    child.send(task, () => undefined); // A child that is gone hears nothing; its end tells.
  });
}

function settle(answer: VerifierAnswer, signal: AbortSignal): void {
  if (answer.kind === 'holds') return;
  if (answer.kind === 'problem') throw doesNotHold(answer.problem);
  signal.throwIfAborted();
  if (answer.kind === 'lake') throw new LakeError(answer.failure, answer.message, answer.hint);
  throw new ApiError('INTERNAL', 'The objects could not be read back', {
    hint: 'Nothing was published. If this repeats, VERIFY=head checks sizes and checksums only.',
    cause: new Error(answer.stack),
  });
}
