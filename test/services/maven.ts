import { mayInstall } from './attempts';
import { findProgram, runCommand } from './command';

const FETCH_MS = 900_000;
const GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';

let queue: Promise<unknown> = Promise.resolve();

/** Whether `copyJars` can work: allowed, and Maven is there. */
export const canCopyJars = (): boolean => mayInstall() && findProgram('mvn') !== undefined;

/**
 * Has Maven bring what a project file depends on into a folder, one call at a time: two Mavens that fill one repository
 * may see each other's half-written files.
 */
export function copyJars(project: string, folder: string): Promise<void> {
  const turn = queue.then(() => copy(project, folder));
  queue = turn.catch(() => undefined);
  return turn;
}

async function copy(project: string, folder: string): Promise<void> {
  const options = ['-DincludeScope=runtime', `-DoutputDirectory=${folder}`, '-Dmaven.artifact.threads=16'];
  const maven = findProgram('mvn') ?? 'mvn';
  await runCommand(maven, ['-q', '-B', '-ntp', '-f', project, GOAL, ...options], { timeoutMs: FETCH_MS });
}
