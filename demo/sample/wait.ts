import { setTimeout as sleep } from 'node:timers/promises';

/** What a server that is still starting makes of a connection; anything else will not pass by waiting. */
const NOT_YET = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'PROTOCOL_CONNECTION_LOST'],
  // PostgreSQL: the database system is starting up.
  '57P03',
]);

/** pg gives these two no code. */
const NOT_YET_MESSAGES = ['Connection terminated unexpectedly', 'timeout expired'];

const isNotYet = (error: unknown): boolean =>
  error instanceof Error &&
  (('code' in error && NOT_YET.has(String(error.code))) || NOT_YET_MESSAGES.includes(error.message));

/** The message, or the code where Node leaves the message empty (one refusal per address of a name). */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
};

/**
 * Tries `connect` until it succeeds, for at most about `seconds`.
 *
 * @throws Error that names the server and the last reason when the time is up, or at once when waiting cannot help, as
 * with a wrong password.
 */
export const waitFor = async (
  server: string,
  seconds: number,
  connect: () => Promise<unknown>,
  pauseMs = 500,
): Promise<void> => {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    try {
      await connect();
      return;
    } catch (error) {
      if (!isNotYet(error)) throw new Error(`${server} refused: ${reasonOf(error)}`, { cause: error });
      if (Date.now() + pauseMs > deadline) {
        throw new Error(`${server} took no connection within ${seconds} s: ${reasonOf(error)}`, { cause: error });
      }
    }
    await sleep(pauseMs);
  }
};
