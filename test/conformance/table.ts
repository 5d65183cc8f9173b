import type { Line } from './conformance';

const CHECK = 18;
const STATE = 12;

/** One line of the table; the promise follows where it was not kept. */
export function tableLine({ check, state, seen, promise }: Line): string {
  const text = seen.replace(/\s+/g, ' ');
  const row = `${check.padEnd(CHECK)}${state.padEnd(STATE)}${text}`;
  return state === 'failed' ? `${row}\n${' '.repeat(CHECK + STATE)}promised: ${promise}` : row;
}

export const tableHead = (): string => `${'CHECK'.padEnd(CHECK)}${'RESULT'.padEnd(STATE)}WHAT WAS SEEN`;

/** The sum of it, in one line. */
export function summary(lines: readonly Line[]): string {
  const states = ['ok', 'failed', 'advice', 'not checked'] as const;
  const of = (state: Line['state']) => lines.filter((line) => line.state === state).length;
  return states
    .filter((state) => state === 'ok' || of(state) > 0)
    .map((state) => `${of(state)} ${state}`)
    .join(', ');
}
