import { type Data, type DataType, DateUnit, IntervalUnit, TimeUnit } from 'apache-arrow';

/** Printers of the scalar types whose value is an integer with a meaning. Each reads its column's buffer and prints one row. */
export type PrintScalar = (data: Data) => (row: number) => string;

const PER_SECOND: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1n,
  [TimeUnit.MILLISECOND]: 1_000n,
  [TimeUnit.MICROSECOND]: 1_000_000n,
  [TimeUnit.NANOSECOND]: 1_000_000_000n,
};
const SECONDS_PER_DAY = 86_400n;
const MILLISECONDS_PER_DAY = 86_400_000;
// DuckDB's own markers for ±infinity in dates and timestamps.
const DATE_INFINITY = 2_147_483_647;
const TIMESTAMP_INFINITY = 9_223_372_036_854_775_807n;

/** All digits, with as many decimals as the type says. */
export const decimalText: PrintScalar = (data) => {
  const { scale, bitWidth } = data.type as DataType & { readonly scale: number; readonly bitWidth: number };
  const words = data.values as Uint32Array;
  const width = bitWidth / 32;
  return (row) => {
    const at = row * width;
    const low = words[at] ?? 0;
    const next = words[at + 1] ?? 0;
    // Most values are small and positive: no BigInt for them.
    const isSmall = next < SMALL_HIGH_WORD && (words[at + 2] ?? 0) === 0 && (words[at + 3] ?? 0) === 0;
    return isSmall ? pointed(String(next * WORD + low), scale) : scaled(littleEndian(words, at, width), scale);
  };
};

const WORD = 2 ** 32;
// Below this the two low words are an integer that a number holds exactly.
const SMALL_HIGH_WORD = 2 ** 20;

function littleEndian(words: Uint32Array, from: number, count: number): bigint {
  let value = 0n;
  for (let i = count - 1; i >= 0; i -= 1) {
    value = (value << 32n) | BigInt(words[from + i] ?? 0);
  }
  return BigInt.asIntN(count * 32, value);
}

function scaled(unscaled: bigint, scale: number): string {
  return unscaled < 0n ? `-${pointed(String(-unscaled), scale)}` : pointed(String(unscaled), scale);
}

function pointed(digits: string, scale: number): string {
  if (scale <= 0) {
    return digits === '0' ? digits : digits + '0'.repeat(-scale);
  }
  const padded = digits.padStart(scale + 1, '0');
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

export const dateText: PrintScalar = (data) => {
  const { unit } = data.type as DataType & { readonly unit: DateUnit };
  const values = data.values as Int32Array | BigInt64Array;
  return (row) => {
    const value = Number(values[row]);
    const days = unit === DateUnit.DAY ? value : Math.floor(value / MILLISECONDS_PER_DAY);
    if (Math.abs(days) >= DATE_INFINITY) {
      return infinity(days);
    }
    const { text, isBefore } = calendarDate(days);
    return isBefore ? `${text} (BC)` : text;
  };
};

export const timeText: PrintScalar = (data) => {
  const { unit } = data.type as DataType & { readonly unit: TimeUnit };
  const values = data.values as Int32Array | BigInt64Array;
  return (row) => clock(BigInt(values[row] ?? 0), PER_SECOND[unit]);
};

/** ISO 8601; with `Z` when the type has a time zone, since Arrow stores such instants in UTC. */
export const timestampText: PrintScalar = (data) => {
  const { unit, timezone } = data.type as DataType & { readonly unit: TimeUnit; readonly timezone?: string | null };
  const values = data.values as BigInt64Array;
  const perSecond = PER_SECOND[unit];
  const suffix = timezone === undefined || timezone === null || timezone === '' ? '' : 'Z';
  return (row) => {
    const value = values[row] ?? 0n;
    if (value === TIMESTAMP_INFINITY || value === -TIMESTAMP_INFINITY) {
      return infinity(Number(value));
    }
    const day = floorDivide(value, SECONDS_PER_DAY * perSecond);
    const { text, isBefore } = calendarDate(Number(day));
    return `${text}T${clock(value - day * SECONDS_PER_DAY * perSecond, perSecond)}${suffix}${isBefore ? ' (BC)' : ''}`;
  };
};

export const intervalText: PrintScalar = (data) => {
  const { unit } = data.type as DataType & { readonly unit: IntervalUnit };
  const words = data.values as Int32Array;
  if (unit === IntervalUnit.YEAR_MONTH) {
    return (row) => interval(words[row] ?? 0, 0, 0n);
  }
  if (unit === IntervalUnit.DAY_TIME) {
    return (row) => interval(0, words[2 * row] ?? 0, BigInt(words[2 * row + 1] ?? 0) * 1_000_000n);
  }
  return (row) => interval(words[4 * row] ?? 0, words[4 * row + 1] ?? 0, nanoseconds(words[4 * row + 2] ?? 0, words[4 * row + 3] ?? 0));
};

function nanoseconds(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** `1 year 2 months 3 days 04:05:06.5`, as SQL databases print it. */
function interval(months: number, days: number, nanos: bigint): string {
  const parts = [count(Math.trunc(months / 12), 'year'), count(months % 12, 'month'), count(days, 'day')].filter((part) => part !== '');
  if (nanos !== 0n || parts.length === 0) {
    parts.push(clock(nanos, PER_SECOND[TimeUnit.NANOSECOND]));
  }
  return parts.join(' ');
}

function count(value: number, unit: string): string {
  return value === 0 ? '' : `${value} ${unit}${Math.abs(value) === 1 ? '' : 's'}`;
}

function infinity(value: number): string {
  return value > 0 ? 'infinity' : '-infinity';
}

/** `HH:MM:SS` and the fraction without its trailing zeros. */
function clock(value: bigint, perSecond: bigint): string {
  const sign = value < 0n ? '-' : '';
  const absolute = value < 0n ? -value : value;
  const seconds = absolute / perSecond;
  const fraction = absolute % perSecond;
  const time = [seconds / 3_600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => String(part).padStart(2, '0')).join(':');
  return `${sign}${time}${
    fraction === 0n
      ? ''
      : `.${String(fraction)
          .padStart(String(perSecond).length - 1, '0')
          .replace(/0+$/, '')}`
  }`;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar, by era arithmetic: JavaScript's Date ends at the year 275760. */
function calendarDate(daysSinceEpoch: number): { readonly text: string; readonly isBefore: boolean } {
  const shifted = daysSinceEpoch + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const isBefore = year <= 0;
  return { text: `${String(isBefore ? 1 - year : year).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`, isBefore };
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
