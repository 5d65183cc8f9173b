import { measureAnalytics } from './analytics/measure-analytics';
import { type Choice, choose, USAGE } from './choose';
import { measureExtraction } from './extraction/measure-extraction';
import { measureIdleGateway } from './idle-gateway';
import { measureLoad } from './load';
import { measurePost } from './post-latency';
import { prepare } from './prepare';
import { measureRuns } from './runs';
import { withServices } from './with-services';

/** Every measurement in one run on one machine: figures of different runs are not to be compared. */
async function bench(choice: Choice): Promise<void> {
  const failed: string[] = [];
  if (choice.post || choice.gateway) {
    // One measurement that cannot be made does not stop the others.
    await measureGateway(choice).catch((error: Error) => failed.push(`gateway: ${error.message}`));
  }
  if (choice.extraction) failed.push(...(await measureExtraction(choice.extraction)));
  if (choice.analytics) {
    await measureAnalytics(choice.analytics).catch((error: Error) => failed.push(`analytics: ${error.message}`));
  }
  if (choice.runs) await measureRuns(choice.runs).catch((error: Error) => failed.push(`runs: ${error.message}`));
  if (choice.load) await measureLoad().catch((error: Error) => failed.push(`load: ${error.message}`));
  if (failed.length > 0) throw new Error(`not measured: ${failed.join('; ')}`);
}

function measureGateway(choice: Choice): Promise<void> {
  return withServices(['docker', 'postgresql', 's3'], [], async (handles) => {
    for (const { name, how } of handles) process.stdout.write(`${name}: ${how}\n`);
    const subject = await prepare();
    try {
      if (choice.post) await measurePost(subject);
      if (choice.gateway) await measureIdleGateway(subject);
    } finally {
      await subject.remove();
    }
  });
}

/** What the command line asks for; a wrong one is told, with the usage. */
function chosen(): Choice | undefined {
  try {
    return choose(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 64;
    return undefined;
  }
}

const choice = chosen();
if (choice) {
  bench(choice).catch((error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
