import { UsageError } from './errors';

/**
 * The idempotency key of a schedule's slot, in local time, as cron counts: `mysql-2026-11-28`, `mysql-2026-11-28T16`. It
 * is the key that `$(date +%F)` and `$(date +%FT%H)` make, so that curl and this client may share a slot.
 */
export function slotKey(database: string, slot: string, now: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  if (slot === 'day') return `${database}-${day}`;
  if (slot === 'hour') return `${database}-${day}T${two(now.getHours())}`;
  throw new UsageError(`--slot ${slot}: must be day or hour`);
}
