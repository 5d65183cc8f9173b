const DAY = 86_400_000;
/** 0001-01-01 and the end of 9999: years of four digits. */
const FIRST = -62_135_596_800_000;
const END = 253_402_300_800_000;

const [DASH, SPACE, COLON, DOT, PLUS, ZERO] = [0x2d, 0x20, 0x3a, 0x2e, 0x2b, 0x30] as const;
/** Bytes of `2025-01-02 15:30:45.123+00`. */
export const INSTANT_LENGTH = 26;

/** Writes `2025-01-02 15:30:45.123+00` to the start of `out`; false for an instant that has no such form. */
export function writeInstant(out: Uint8Array, time: number): boolean {
  if (!(time >= FIRST && time < END)) return false;
  const days = Math.floor(time / DAY);
  const rest = time - days * DAY;
  writeDay(out, days);
  out[10] = SPACE;
  const seconds = Math.floor(rest / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const milliseconds = rest - seconds * 1000;
  two(out, 11, hours);
  out[13] = COLON;
  two(out, 14, minutes - hours * 60);
  out[16] = COLON;
  two(out, 17, seconds - minutes * 60);
  out[19] = DOT;
  out[20] = ZERO + Math.floor(milliseconds / 100);
  two(out, 21, milliseconds % 100);
  out[23] = PLUS;
  out[24] = ZERO;
  out[25] = ZERO;
  return true;
}

/** Days since 1970 as `2025-01-02`, by Howard Hinnant's `civil_from_days`: years begin in March, eras have 400 of them. */
function writeDay(out: Uint8Array, days: number): void {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  two(out, 0, Math.floor(year / 100));
  two(out, 2, year % 100);
  out[4] = DASH;
  two(out, 5, month);
  out[7] = DASH;
  two(out, 8, day);
}

function two(out: Uint8Array, at: number, n: number): void {
  const tens = (n / 10) | 0;
  out[at] = ZERO + tens;
  out[at + 1] = ZERO + n - tens * 10;
}
