import type { ScriptResult } from '@ingesta/kit';
import type { Bench, PlainRun } from '../bench';
import { exitOf } from '../judge/exits';
import { shapeOf } from '../judge/leftovers';
import { notChecked, type Verdict } from '../verdict';

/** One promise of the contract. */
export interface Check {
  /** What stands in the table, and after `--only`. */
  readonly name: string;
  /** The promise, as a sentence. */
  readonly promise: string;
  run(bench: Bench): Promise<Verdict>;
}

/** A plain run that gave a result. */
export type WholeRun = PlainRun & { readonly result: ScriptResult };

/** A check that looks at the plain run; without one there is nothing to look at, and the check of the job has failed. */
export const onPlainRun =
  (judge: (plain: WholeRun, bench: Bench) => Verdict | Promise<Verdict>) =>
  async (bench: Bench): Promise<Verdict> => {
    const plain = await bench.plain();
    return plain.result === null
      ? notChecked(`the plain run gave no result: ${exitOf(plain.seen)}`)
      : judge(plain as WholeRun, bench);
  };

/** Sizes of the plain run's objects, by their keys without the timestamp: what a whole object looks like. */
export async function wholeSizes(bench: Bench): Promise<Map<string, number>> {
  const { result, job } = await bench.plain();
  return new Map(Object.values(result?.result ?? {}).map(({ key, bytes }) => [shapeOf(key, job.timestamp), bytes]));
}

/** So many things, for people. */
export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
