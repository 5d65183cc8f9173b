import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender, Output } from './contender';
import type { CpuTime } from './cpu-time';
import type { LoadedTable } from './dataset/loaded-table';
import { type Measured, measure } from './measure';
import { leastDisturbed } from './steal';

/** What was measured of one contender. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly role: Contender['role'];
  readonly version: string;
  /** Milliseconds of the counted rounds. */
  readonly runs: readonly number[];
  /** Bytes, the largest of the counted rounds. */
  readonly peakRss: number | null;
  /** Of the counted rounds; none where it cannot be told. */
  readonly cpu: readonly CpuTime[];
  readonly output: Output | null;
  /** Why there are no figures: it cannot be had here, or it failed. */
  readonly problem?: string;
}

interface State {
  readonly contender: Contender;
  version: string;
  runs: number[];
  peakRss: number | null;
  cpu: CpuTime[];
  output: Output | null;
  problem?: string;
}

/**
 * Lets every contender run once per round, each round starting with another one, so that what changes on the machine in
 * the meantime changes for all. The first round warms up and is not counted. Whoever fails is out; the others go on.
 */
export async function runRounds(
  contenders: readonly Contender[],
  table: LoadedTable,
  rounds: number,
  say: (line: string) => void,
): Promise<Figure[]> {
  const states: State[] = contenders.map((contender) => ({
    contender,
    version: '',
    runs: [],
    peakRss: null,
    cpu: [],
    output: null,
  }));
  for (const state of states) {
    await attempt(state, say, async () => {
      state.version = await state.contender.prepare();
    });
  }
  for (let round = 0; round <= rounds; round++) {
    const first = round % states.length;
    for (const state of [...states.slice(first), ...states.slice(0, first)]) {
      if (state.problem !== undefined || !takesPart(state.contender, round, rounds)) continue;
      await attempt(state, say, async () => {
        const run = () => runOnce(state, table);
        const { ms, peakRss, cpu, steal } = await (round === 0 ? run() : leastDisturbed(run));
        if (round > 0) {
          state.runs.push(ms);
          if (cpu) state.cpu.push(cpu);
          if (peakRss !== null) state.peakRss = Math.max(state.peakRss ?? 0, peakRss);
        }
        const name = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`;
        say(
          `${name}: ${state.contender.title}: ${(ms / 1000).toFixed(2)} s, ${megabytes(peakRss)}, ${percent(steal)} stolen`,
        );
      });
    }
  }
  expectSameBytes(states);
  return states.map(({ contender: { id, title, role }, ...measured }) => ({ id, title, role, ...measured }));
}

/** The slow ones run in the first counted rounds only; whoever runs once needs no warming up. */
function takesPart({ atMost }: Contender, round: number, rounds: number): boolean {
  return atMost === undefined || (round <= Math.min(atMost, rounds) && !(atMost === 1 && round === 0));
}

async function attempt(state: State, say: (line: string) => void, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    state.problem = error instanceof Error ? error.message : String(error);
    say(`${state.contender.title}: ${state.problem}`);
  }
}

async function runOnce(state: State, table: LoadedTable): Promise<Measured> {
  const { contender } = state;
  const outside = await mkdtemp(join(tmpdir(), 'ingesta-bench-'));
  try {
    const folder = join(outside, 'out');
    await mkdir(folder);
    const measured = await measure(await contender.program(table, folder));
    const output = await contender.output(table, folder, measured.stdout);
    if (output.rows !== table.rows) throw new Error(`gave ${output.rows} rows of ${table.rows}`);
    state.output = output;
    return measured;
  } finally {
    await rm(outside, { recursive: true, force: true });
  }
}

/** The ways of the same script may differ in time, never in what they write. */
function expectSameBytes(states: readonly State[]): void {
  const ours = states.filter(({ contender, output }) => contender.role === 'ours' && output !== null);
  for (const state of ours) {
    const [expected, got] = [ours[0]!.output!.bytes, state.output!.bytes];
    if (got !== expected) state.problem ??= `wrote ${got} bytes, ${ours[0]!.contender.title} ${expected}`;
  }
}

const percent = (share: number | null): string => (share === null ? '–' : `${Math.round(share * 100)} %`);

const megabytes = (bytes: number | null): string => (bytes === null ? '' : `${Math.round(bytes / 2 ** 20)} MiB`);
