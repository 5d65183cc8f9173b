import { runCommand } from '../../services/command';
import { pinned, venv } from '../extraction/peers/venv';

/** Starts DuckDB's own program, runs the statements in a database in memory, and ends it. Throws with what it said. */
export type DuckDbProgram = (statements: readonly string[]) => Promise<void>;

const TIMEOUT_MS = 600_000;

/**
 * The program with this much memory (MiB) and so many threads. Throws unless it is of the version of the library that the
 * gateway has.
 */
export async function duckDbProgram(
  limits: { memory: number; threads: number },
  library: string,
): Promise<DuckDbProgram> {
  const version = (await pinned('duckdb', 'duckdb-cli')).split(' ')[1];
  if (library !== `v${version}`) throw new Error(`peers/duckdb.txt has version ${version}, the gateway ${library}`);
  const program = await (await venv('duckdb')).file(/\/duckdb$/);
  const settings = [`SET memory_limit = '${limits.memory}MiB'`, `SET threads = ${limits.threads}`];
  return async (statements) => {
    await runCommand(program, ['-c', [...settings, ...statements].join('; ')], { timeoutMs: TIMEOUT_MS });
  };
}
