import { startServices } from '../services/index';
import { measureIdleGateway } from './idle-gateway';
import { measurePost } from './post-latency';
import { prepare } from './prepare';

/** Every measurement in one run on one machine: figures of different runs are not to be compared. */
async function bench(): Promise<void> {
  const services = await startServices(['docker', 'postgresql', 's3']);
  try {
    for (const { name, missing, bring } of services.missing) {
      throw new Error(`${name} is needed: ${missing}. To have it: ${bring}`);
    }
    for (const { env } of services.handles) Object.assign(process.env, env);
    for (const { name, how } of services.handles) process.stdout.write(`${name}: ${how}\n`);
    const subject = await prepare();
    try {
      await measurePost(subject);
      await measureIdleGateway(subject);
    } finally {
      await subject.remove();
    }
  } finally {
    await services.stop();
  }
}

bench().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
