const DAYS = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Whether the text at `start` (`2024-02-29…`) is a day of the calendar. MySQL also keeps `0000-00-00`, `2024-00-15` and,
 * with ALLOW_INVALID_DATES, `2024-02-31`.
 */
export function isRealDate(bytes: Uint8Array, start: number): boolean {
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  if (month === 0 || day === 0) return false;
  if (day <= 28) return true;
  if (day > DAYS[month]!) return false;
  if (month !== 2) return true;
  const century = twoDigits(bytes, start);
  const year = twoDigits(bytes, start + 2);
  return (year === 0 ? century : year) % 4 === 0;
}

const twoDigits = (bytes: Uint8Array, at: number): number => (bytes[at]! - 0x30) * 10 + bytes[at + 1]! - 0x30;
