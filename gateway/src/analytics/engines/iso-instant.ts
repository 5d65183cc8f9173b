/**
 * An engine's timestamp text (`2025-01-02 15:30:45.100`, perhaps with ` UTC` or `+00` behind it) as ISO 8601 in UTC, zeros at
 * the end of the fraction left out: `2025-01-02T15:30:45.1Z`.
 */
export function isoInstant(text: string): string {
  const [, date, time, fraction = ''] = /^(.+?)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?/.exec(text) ?? [];
  if (date === undefined) throw new Error(`no timestamp: ${JSON.stringify(text)}`);
  const digits = fraction.replace(/0+$/, '');
  return `${date}T${time}${digits && `.${digits}`}Z`;
}
