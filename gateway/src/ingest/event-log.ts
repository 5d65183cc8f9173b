import type { ScriptEvent } from '@ingesta/kit';
import type { Log } from '../log';

/** Of what one launch says, so many lines go into the gateway's log, and so much of each: some scripts never end talking. */
const MOST_LINES = 1_000;
const LINE_CHARS = 4_000;

/**
 * Takes the events of one launch: each goes into the gateway's log, and comes back without the secrets that `redact` knows,
 * which not every script hides.
 */
export function eventLog(log: Log, redact: (text: string) => string): (event: ScriptEvent) => ScriptEvent {
  let lines = 0;
  return (event) => {
    if (event.event === 'log') {
      const told = { ...event, message: redact(event.message).slice(0, LINE_CHARS) };
      lines += 1;
      if (lines <= MOST_LINES) log.log(told.level, told.message, { from: 'script' });
      if (lines === MOST_LINES + 1) log.warn('the script says more; GET /api/ingesta/runs/{run_id}/logs has its end');
      return told;
    }
    if (event.event === 'table_finished')
      log.info('table finished', { table: event.table, rows: event.rows, bytes: event.bytes });
    else if (event.event === 'progress')
      log.debug('progress', { table: event.table, rows: event.rows, bytes: event.bytes });
    else log.debug('table started', { table: event.table, estimated_rows: event.estimated_rows });
    return event;
  };
}
