import { redactor } from '@ingesta/kit';
import { createLogger, format, type Logger, transports } from 'winston';

export type Log = Logger;

/** Names whose values never show, wherever they stand in the environment. */
const SECRET_NAME = /PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE|API_KEY|_URI(_REMOTE)?$|ACCESS_KEY/i;

/** The password in `scheme://user:password@host`. */
const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:([^@]+)@/i;

/**
 * The values of the environment that no log line may carry: those under a telling name or one of `names`, and passwords
 * inside URLs.
 */
export function secretValues(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[] = [],
): string[] {
  return Object.entries(env).flatMap(([name, value = '']) => {
    const secret = (SECRET_NAME.test(name) && !name.endsWith('_FILE')) || names.includes(name);
    const password = URL_PASSWORD.exec(value)?.[1];
    return [...(secret ? [value] : []), ...(password ? [password] : [])];
  });
}

/**
 * The gateway's log on stderr: JSON lines, or text in a terminal. `secrets` are replaced by `***` in the finished line,
 * whichever field they came in. `log.child({ run_id })` marks the lines of one run.
 */
export function createLog(level: string, secrets: readonly string[], human = process.stderr.isTTY === true): Log {
  const redact = redactor(secrets);
  const message = Symbol.for('message');
  const redacted = format((info) => ({ ...info, [message]: redact(String(info[message])) }));
  const people = format.printf(({ timestamp, level, message, ...rest }) => {
    const fields = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    return `${String(timestamp).slice(11, 19)} ${level} ${message}${fields}`;
  });
  return createLogger({
    level,
    format: format.combine(format.timestamp(), human ? people : format.json(), redacted()),
    transports: [new transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })],
  });
}
