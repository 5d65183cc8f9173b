import type { ScriptEvent } from '@ingesta/kit';
import type { Log } from '../log';

/** A script's event in the gateway's log; `redact` knows the secrets of its job, which not every script hides. */
export function logEvent(log: Log, event: ScriptEvent, redact: (text: string) => string): void {
  if (event.event === 'log') log.log(event.level, redact(event.message), { from: 'script' });
  else if (event.event === 'table_finished')
    log.info('table finished', { table: event.table, rows: event.rows, bytes: event.bytes });
  else if (event.event === 'progress')
    log.debug('progress', { table: event.table, rows: event.rows, bytes: event.bytes });
  else log.debug('table started', { table: event.table, estimated_rows: event.estimated_rows });
}
