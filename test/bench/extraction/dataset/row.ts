/** Name of the table, the same in every engine. */
export const TABLE = 'measures';

/** One row of the table that is measured: twelve columns, the same values in every engine and on every machine. */
export interface Row {
  readonly id: number;
  readonly account: bigint;
  /** Decimal with two digits after the point. */
  readonly amount: string;
  readonly ratio: number;
  readonly active: boolean | null;
  /** `2025-01-02` */
  readonly born: string;
  /** `2025-01-02 15:30:45.123`, in UTC. */
  readonly seen: string;
  readonly reference: string;
  readonly code: string;
  /** Text with commas, quotes, line breaks and letters beyond ASCII. */
  readonly note: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  /** Hexadecimal. */
  readonly payload: string | null;
}

const DAY_MS = 86_400_000;
const EPOCH_2000 = Date.UTC(2000, 0, 1);
const CODES = ['AB-', 'ZX-', 'Ñu-', 'qr_'];
const NOTES = [
  'Renewal agreed by phone, papers by post',
  'He said "no", then "maybe",\nthen signed; two copies were handed over',
  'Pago recibido en Arequipa, señal del 10 %, resto en tres cuotas',
  'plain words without anything that a CSV would have to quote',
  'Line one\nLine two\n"quotes" at the end of the remark"',
];
const PLANS = ['basic', 'full', 'family "plus"'];

/** Rows 1 to `rows`; each depends on its number only. */
export function* eachRow(rows: number): Generator<Row, void, undefined> {
  for (let id = 1; id <= rows; id++) yield rowOf(id);
}

/** The row with this number. */
export function rowOf(id: number): Row {
  const a = mix(id);
  const b = mix(a ^ 0x5bd1e995);
  const c = mix(b ^ 0x27d4eb2f);
  const d = mix(c ^ 0x165667b1);
  const hex = [a, b, c, d].map((word) => word.toString(16).padStart(8, '0')).join('');
  return {
    id,
    account: (BigInt(a) << 29n) | BigInt(b >>> 3),
    amount: `${c % 10_000_000}.${String(d % 100).padStart(2, '0')}`,
    ratio: a / 2 ** 32 + (b % 1000),
    active: id % 11 === 0 ? null : (a & 1) === 1,
    born: new Date(EPOCH_2000 - (b % 20_000) * DAY_MS).toISOString().slice(0, 10),
    seen: new Date(EPOCH_2000 + (c % 800_000) * 1_000_003).toISOString().slice(0, 23).replace('T', ' '),
    reference: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`,
    code: `${CODES[d % CODES.length]}${(b % 1_000_000).toString(36)}`,
    note: id % 10 === 0 ? null : NOTES[c % NOTES.length]!,
    attributes: { plan: PLANS[a % PLANS.length]!, agent: String(b % 5000) },
    payload: id % 5 === 0 ? null : hex,
  };
}

/** 32 bits that look random, from 32 bits: the finalizer of MurmurHash3. */
function mix(seed: number): number {
  let bits = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
