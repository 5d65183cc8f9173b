/** What came of one check: `advice` breaks no rule, `not checked` says why nothing can be said. */
export interface Verdict {
  readonly state: 'ok' | 'failed' | 'advice' | 'not checked';
  /** One line for the person who reads the table. */
  readonly seen: string;
}

export const ok = (seen: string): Verdict => ({ state: 'ok', seen });
export const failed = (seen: string): Verdict => ({ state: 'failed', seen });
export const advice = (seen: string): Verdict => ({ state: 'advice', seen });
export const notChecked = (why: string): Verdict => ({ state: 'not checked', seen: why });

/** Failed with all of the problems, or ok with `seen` where there are none. */
export const judged = (problems: readonly string[], seen: string): Verdict =>
  problems.length === 0 ? ok(seen) : failed(problems.join('; '));
