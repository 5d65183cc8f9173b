import { openLake } from '../lake/open-lake';
import type { SourceContext } from '../source';

/** A context whose warnings are kept and which can be aborted. */
export interface TestContext extends SourceContext {
  warnings: string[];
  controller: AbortController;
}

/** What `runScript` gives a source, on a lake that `lakeEnv` names; one table and one connection at a time. */
export function testContext(change: Partial<SourceContext> = {}, lakeEnv: Record<string, string> = {}): TestContext {
  const warnings: string[] = [];
  const controller = new AbortController();
  return {
    signal: controller.signal,
    log: () => {},
    warn: (text) => warnings.push(text),
    parallelTables: 1,
    parallelRanges: 1,
    lake: () => openLake(lakeEnv),
    warnings,
    controller,
    ...change,
  };
}
