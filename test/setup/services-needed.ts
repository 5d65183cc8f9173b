import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICE_NAMES, type ServiceName } from '../services/service';

/** What Jest says of a run, as far as it tells which files are in it. */
export interface JestRun {
  readonly rootDir: string;
  readonly testPathPatterns: {
    isSet(): boolean;
    toExecutor(options: { rootDir: string }): { isMatch(path: string): boolean };
  };
  readonly onlyChanged: boolean;
  readonly findRelatedTests: boolean;
  readonly runTestsByPath: boolean;
}

/** How a test file says what it needs. */
const NEEDS = /describeWith\(\s*\[([^\]]*)\]/g;

/** The services that the chosen test files below `roots` name; all of them where Jest chooses in other ways than by name. */
export function servicesNeeded(run: JestRun, roots: readonly string[]): readonly ServiceName[] {
  const { rootDir, testPathPatterns, onlyChanged, findRelatedTests, runTestsByPath } = run;
  if (onlyChanged || findRelatedTests || runTestsByPath || !testPathPatterns.isSet()) return SERVICE_NAMES;
  const chosen = testPathPatterns.toExecutor({ rootDir });
  const named = new Set<string>();
  for (const file of roots.flatMap(testFiles)) {
    if (!chosen.isMatch(file)) continue;
    for (const [, list] of readFileSync(file, 'utf8').matchAll(NEEDS))
      for (const [, name] of list!.matchAll(/'(\w+)'/g)) named.add(name!);
  }
  // Trino reads from the two others; databases may be had as containers.
  if (named.has('trino')) named.add('s3').add('moto');
  if (named.size > 0) named.add('docker');
  return SERVICE_NAMES.filter((name) => named.has(name));
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : testFiles(path);
    return entry.name.endsWith('.test.ts') ? [path] : [];
  });
}
