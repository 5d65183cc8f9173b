/** Cents (an integer, so that no amount ever passes through a binary fraction) as decimal text: 123450 → `1234.50`. */
export const decimal = (cents: number): string => {
  if (!Number.isSafeInteger(cents) || cents < 0) throw new RangeError(`${cents} is no amount in cents`);
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
};

/** `percent` of an amount in cents, rounded down to a whole cent. */
export const percentOf = (cents: number, percent: number): number => Math.floor((cents * percent) / 100);
