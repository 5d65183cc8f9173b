import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServices } from '../services/index';
import { MARKERS, SERVICE_NAMES, type ServiceName, type ServicesSummary } from '../services/service';
import { type JestRun, servicesNeeded } from './services-needed';
import { started } from './started';
import { stopStarted } from './stop-started';

/** Starts the real servers that the run needs once for all tests, and tells the tests about them in the environment. */
async function globalSetup(run: JestRun, { roots }: { roots: readonly string[] }): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stopStarted().finally(() => process.exit(1)));
  }
  started.services = startServices(wantedServices(run, roots));
  const { handles, missing } = await started.services;
  if (process.env.INGESTA_TEST_REQUIRE === 'all' && missing.length > 0) {
    await stopStarted();
    const lines = missing.map((one) => `  ${one.name}: ${one.missing}\n    to bring it: ${one.bring}`);
    throw new Error(`INGESTA_TEST_REQUIRE=all, but these services are missing:\n${lines.join('\n')}`);
  }
  // A half-given service must not look present.
  for (const { name } of missing) delete process.env[MARKERS[name]];
  for (const handle of handles) Object.assign(process.env, handle.env);
  const summary: ServicesSummary = { handles: handles.map(({ name, how }) => ({ name, how })), missing };
  const file = join(mkdtempSync(join(tmpdir(), 'ingesta-test-')), 'services.json');
  writeFileSync(file, JSON.stringify(summary));
  process.env.INGESTA_TEST_SUMMARY = file;
}

/** Those of INGESTA_TEST_SERVICES (`postgresql,s3`; `none` for a quick round of unit tests), else what the run needs. */
function wantedServices(run: JestRun, roots: readonly string[]): readonly ServiceName[] {
  const wanted = process.env.INGESTA_TEST_SERVICES?.split(',');
  return wanted ? SERVICE_NAMES.filter((name) => wanted.includes(name)) : servicesNeeded(run, roots);
}

// biome-ignore lint/style/noDefaultExport: Jest takes the default export
export default globalSetup;
