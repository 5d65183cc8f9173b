import type { DuckDBConnection } from '@duckdb/node-api';

/** An interrupt that comes before DuckDB has begun is lost, so it is repeated. */
const INTERRUPT_MS = 50;

/** What runs on a connection and is ended when the signal is aborted. Throws the signal's reason then, else what `work` throws. */
export async function interruptible<T>(
  connection: DuckDBConnection,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  let repeat: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    repeat ??= setInterval(() => connection.interrupt(), INTERRUPT_MS);
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    return await work();
  } finally {
    clearInterval(repeat);
    signal.removeEventListener('abort', interrupt);
    // DuckDB tells of no interruption while rows are fetched.
    signal.throwIfAborted();
  }
}
