import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { mayInstall } from './attempts';
import { findProgram, runCommand } from './command';

const INSTALL_MS = 600_000;

/** What Debian's packages ask before they start a system service; 101 is "no". */
const POLICY = '/usr/sbin/policy-rc.d';

let queue: Promise<unknown> = Promise.resolve();
let updated = false;

/** Whether `aptInstall` can work: allowed, as root, on a Debian. */
export function canAptInstall(): boolean {
  return mayInstall() && process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
}

/** Installs Debian packages, one call at a time: apt-get takes a lock on the whole system. */
export function aptInstall(...packages: string[]): Promise<void> {
  const turn = queue.then(() => install(packages));
  queue = turn.catch(() => undefined);
  return turn;
}

async function install(packages: readonly string[]): Promise<void> {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: INSTALL_MS };
  // The tests run instances of their own: a system-wide server that nobody asked for must not be left behind.
  const forbidden = !existsSync(POLICY);
  if (forbidden) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    if (!updated) await runCommand('apt-get', ['update', '-qq'], options);
    updated = true;
    const args = ['install', '-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', ...packages];
    await runCommand('apt-get', args, options);
  } finally {
    if (forbidden) rmSync(POLICY);
  }
}
