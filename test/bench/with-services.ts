import { startServices } from '../services/index';
import { MARKERS, type ServiceHandle, type ServiceName } from '../services/service';

/**
 * Starts the servers, tells the environment of them, does the work, and stops them, also when it is interrupted. Throws
 * where one of the `needed` cannot be had; the others may be missing.
 */
export async function withServices(
  needed: readonly ServiceName[],
  welcome: readonly ServiceName[],
  work: (handles: readonly ServiceHandle[]) => Promise<void>,
): Promise<void> {
  // What is told of these servers must not look given to the next ones.
  const before = { ...process.env };
  const services = await startServices([...needed, ...welcome]);
  const interrupted = () => void services.stop().finally(() => process.exit(130));
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, interrupted);
  try {
    for (const { name, missing, bring } of services.missing) {
      if (needed.includes(name)) throw new Error(`${name} is needed: ${missing}. To have it: ${bring}`);
      delete process.env[MARKERS[name]];
    }
    for (const { env } of services.handles) Object.assign(process.env, env);
    await work(services.handles);
  } finally {
    for (const name of services.handles.flatMap(({ env }) => Object.keys(env))) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    for (const signal of signals) process.removeListener(signal, interrupted);
    await services.stop();
  }
}
