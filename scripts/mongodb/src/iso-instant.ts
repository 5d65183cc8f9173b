const DAY = 86_400_000;
/** 0001-01-01 and the end of 9999: years of four digits. */
const FIRST = -62_135_596_800_000;
const END = 253_402_300_800_000;

let cachedDay = Number.NaN;
let cachedText = '';

/** `2025-01-02 15:30:45.123+00`, or null for an instant that has no such form. */
export function isoInstant(time: number): string | null {
  if (!(time >= FIRST && time < END)) return null;
  const day = Math.floor(time / DAY);
  if (day !== cachedDay) {
    cachedDay = day;
    cachedText = new Date(day * DAY).toISOString().slice(0, 10);
  }
  let rest = time - day * DAY;
  const milliseconds = rest % 1000;
  rest = (rest - milliseconds) / 1000;
  const seconds = rest % 60;
  rest = (rest - seconds) / 60;
  const minutes = rest % 60;
  const hours = (rest - minutes) / 60;
  const thousandths = milliseconds < 10 ? `00${milliseconds}` : milliseconds < 100 ? `0${milliseconds}` : milliseconds;
  return `${cachedText} ${two(hours)}:${two(minutes)}:${two(seconds)}.${thousandths}+00`;
}

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
