import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { started } from './started';

/** Stops what the global setup started; a second call has nothing left to do. */
export async function stopStarted(): Promise<void> {
  const { services } = started;
  started.services = undefined;
  // Interrupted while they start: a server on its way up can only be stopped once it is there.
  await (await services)?.stop();
  const summary = process.env.INGESTA_TEST_SUMMARY;
  if (summary) rmSync(dirname(summary), { recursive: true, force: true });
}
