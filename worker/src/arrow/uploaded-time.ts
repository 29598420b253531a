import { StatusError } from '@jetbridge/proto/status-error';
import type { ParameterValue } from '../engine/engine.ts';
import type { TimeUnit } from './uploaded-message.ts';

const DAY_MS = 86_400_000n;
const NANOS: Readonly<Record<TimeUnit, bigint>> = { second: 1_000_000_000n, millisecond: 1_000_000n, microsecond: 1000n, nanosecond: 1n };

/** Microseconds, exact or not: the engine's clock has no finer unit except where a value says so. */
function microsOf(value: bigint, unit: TimeUnit): { readonly micros: bigint; readonly exact: boolean } {
  const nanos = value * NANOS[unit];
  const micros = floorDivide(nanos, 1000n);
  if (BigInt.asIntN(64, micros) !== micros) {
    throw new StatusError('invalid_argument', 'A time value is outside of the range of 64-bit microseconds');
  }
  return { micros, exact: micros * 1000n === nanos };
}

export function timeValue(value: bigint, unit: TimeUnit): ParameterValue {
  const { micros, exact } = microsOf(value, unit);
  return exact ? { kind: 'time', micros } : { kind: 'time_ns', nanos: value };
}

/** A time zone's timestamps have no nanosecond form in DuckDB: what is finer than a microsecond is cut there. */
export function timestampValue(value: bigint, unit: TimeUnit, zoned: boolean): ParameterValue {
  const { micros, exact } = microsOf(value, unit);
  return exact || zoned ? { kind: 'timestamp', micros, zoned } : { kind: 'timestamp_ns', nanos: value };
}

export function durationValue(value: bigint, unit: TimeUnit): ParameterValue {
  return { kind: 'interval', months: 0, days: 0, micros: microsOf(value, unit).micros };
}

export function intervalValue(view: DataView, at: number, unit: 'year_month' | 'day_time' | 'month_day_nano'): ParameterValue {
  if (unit === 'year_month') {
    return { kind: 'interval', months: view.getInt32(at, true), days: 0, micros: 0n };
  }
  if (unit === 'day_time') {
    return { kind: 'interval', months: 0, days: view.getInt32(at, true), micros: BigInt(view.getInt32(at + 4, true)) * 1000n };
  }
  const micros = floorDivide(view.getBigInt64(at + 8, true), 1000n);
  return { kind: 'interval', months: view.getInt32(at, true), days: view.getInt32(at + 4, true), micros };
}

export function daysOfMilliseconds(milliseconds: bigint): number {
  const days = floorDivide(milliseconds, DAY_MS);
  if (BigInt.asIntN(32, days) !== days) {
    throw new StatusError('invalid_argument', 'A date is outside of the range of 32-bit days');
  }
  return Number(days);
}

/** IEEE 754 binary16. */
export function floatOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) {
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}
