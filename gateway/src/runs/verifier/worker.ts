/** The verifier's process: gets one task over its channel, answers once, ends. Ends with the gateway, too. */
import { LakeError, openLake } from '@ingesta/kit';
import type { VerifierAnswer, VerifierTask } from './messages';
import { readBack } from './read-back';

/** Objects read at once. */
const PARALLEL = 2;

async function answer({ lakeEnv, objects }: VerifierTask): Promise<VerifierAnswer> {
  // The AWS SDK looks some of them up by itself. Set here they show in no process list.
  Object.assign(process.env, lakeEnv);
  try {
    const lake = await openLake(lakeEnv);
    const queue = objects.values();
    let problem: string | null = null;
    const worker = async () => {
      for (const object of queue) {
        if (problem !== null) return;
        const found = await readBack(lake, object);
        // Not `??=` before the wait: a table that holds must not unsay what another's reader found meanwhile.
        problem ??= found;
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    return problem === null ? { kind: 'holds' } : { kind: 'problem', problem };
  } catch (error) {
    if (error instanceof LakeError)
      return { kind: 'lake', failure: error.kind, message: error.message, hint: error.hint };
    return { kind: 'defect', stack: String((error as Error).stack ?? error) };
  }
}

process.once('message', async (task: VerifierTask) => {
  process.send!(await answer(task), () => process.exit(0));
});
process.once('disconnect', () => process.exit(1));
