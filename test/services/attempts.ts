import type { ServiceHandle, ServiceName } from './service';

/** Where a server may come from. */
export type Origin = 'given' | 'image' | 'installed' | 'npm' | 'install';

/** One way to get a server: `undefined` when this machine does not offer it. */
export interface Attempt {
  readonly from: Origin;
  start(): Promise<ServiceHandle | undefined>;
}

/** Whether this run may install programs (apt-get, go install) that it lacks. */
export const mayInstall = (): boolean => process.env.INGESTA_TEST_INSTALL === '1';

/**
 * The first attempt that brings a server up, in order. One that breaks does not end the search, its reason is kept.
 * `INGESTA_TEST_<SERVICE>_FROM=npm,image` narrows the search, to test against one particular kind.
 */
export async function firstThatStarts(name: ServiceName, attempts: readonly Attempt[]): Promise<ServiceHandle> {
  const wanted = process.env[`INGESTA_TEST_${name.toUpperCase()}_FROM`]?.split(',');
  const reasons: string[] = [];
  for (const attempt of attempts) {
    if (wanted && !wanted.includes(attempt.from)) continue;
    try {
      const handle = await attempt.start();
      if (handle) return handle;
    } catch (error) {
      reasons.push(`${attempt.from}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(reasons.length > 0 ? reasons.join('; ') : 'not given, not installed');
}
