import { StatusError } from '@jetbridge/proto/status-error';
import { INGEST_FIXED_ELEMENTS_MAX } from '../engine/engine-limits.ts';
import type { TimeUnit, UploadedField, UploadedType } from './uploaded-message.ts';

/** How the buffers of a column lie in a message, and thereby what must be checked of them. */
export type ImportLayout =
  | { readonly kind: 'null' | 'bits' | 'struct' }
  | { readonly kind: 'fixed'; readonly width: number; readonly values: FixedValues }
  | { readonly kind: 'bytes'; readonly offsetBytes: 4 | 8; readonly text: boolean }
  | { readonly kind: 'views'; readonly text: boolean }
  | { readonly kind: 'list'; readonly offsetBytes: 4 | 8 }
  | { readonly kind: 'fixed_list'; readonly size: number };

/** Which values of a fixed width DuckDB takes without looking: what lies outside of its types must be refused here. */
export type FixedValues =
  | { readonly kind: 'any' }
  | { readonly kind: 'days' }
  /** Becomes days. */
  | { readonly kind: 'day_milliseconds' }
  | { readonly kind: 'int32' | 'int64'; readonly min: number; readonly max: number }
  /** Each of so many words of 32 bits. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly words: number };

/** One column of an upload as DuckDB takes it. */
export interface ImportColumn {
  readonly name: string;
  /** The format string of Arrow's C data interface; of the indices where there is a dictionary. */
  readonly format: string;
  /** The type of DuckDB as SQL. */
  readonly sql: string;
  /** Of the values; of the indices where there is a dictionary. */
  readonly layout: ImportLayout;
  readonly children: readonly ImportColumn[];
  readonly dictionary: { readonly id: bigint; readonly signed: boolean; readonly values: ImportColumn } | undefined;
}

/** Fixed-size lists above this are no type of DuckDB. */
const ARRAY_MAX_SIZE = 100_000;

/** The columns of an uploaded schema; `invalid_argument` or `unimplemented` where DuckDB has none like them. */
export function importColumns(fields: readonly UploadedField[]): readonly ImportColumn[] {
  if (fields.length === 0) {
    throw new StatusError('invalid_argument', 'The uploaded rows have no columns');
  }
  requireDistinct(fields, 'The uploaded rows');
  const columns = fields.map((field) => columnOf(field, true));
  const elements = columns.reduce((sum, column) => sum + fixedElements(column, 1), 0);
  if (elements > INGEST_FIXED_ELEMENTS_MAX) {
    throw new StatusError('resource_exhausted', `The fixed-size lists of a row may have ${INGEST_FIXED_ELEMENTS_MAX} elements; use lists`);
  }
  return columns;
}

function fixedElements({ layout, children }: ImportColumn, times: number): number {
  const each = layout.kind === 'fixed_list' ? times * layout.size : times;
  return (layout.kind === 'fixed_list' ? each : 0) + children.reduce((sum, child) => sum + fixedElements(child, each), 0);
}

function columnOf(field: UploadedField, top: boolean): ImportColumn {
  const { name, dictionary } = field;
  const plain = { name, children: [], dictionary: undefined };
  if (dictionary !== undefined) {
    const values = columnOf({ ...field, dictionary: undefined }, false);
    if (!top || values.children.length > 0 || values.layout.kind === 'null') {
      throw refused(field, 'a dictionary that is nested or holds nested values', 'send the values themselves');
    }
    const index = scalarOf({ ...field, type: dictionary.index });
    return { ...plain, ...index, sql: values.sql, dictionary: { id: dictionary.id, signed: isSigned(dictionary.index), values } };
  }
  switch (field.type.kind) {
    case 'list':
    case 'large_list':
    case 'fixed_list':
    case 'map':
    case 'struct':
      return { ...plain, ...nestedOf(field, field.type) };
    default:
      return { ...plain, ...scalarOf(field) };
  }
}

type Typed = Pick<ImportColumn, 'format' | 'sql' | 'layout'>;
type Nested = Extract<UploadedType, { readonly kind: 'list' | 'large_list' | 'fixed_list' | 'map' | 'struct' }>;

function nestedOf(field: UploadedField, type: Nested): Typed & Pick<ImportColumn, 'children'> {
  if (type.kind === 'struct') {
    requireDistinct(field.children, `Column "${field.name}"`);
    const children = field.children.map((child) => columnOf(child, false));
    if (children.length === 0) {
      throw refused(field, 'a struct without fields', 'leave it out');
    }
    const members = children.map((child) => `"${child.name.replaceAll('"', '""')}" ${child.sql}`);
    return { format: '+s', sql: `STRUCT(${members.join(', ')})`, layout: { kind: 'struct' }, children };
  }
  const [element, ...more] = field.children;
  if (element === undefined || more.length > 0) {
    throw malformedType(field);
  }
  const child = columnOf(type.kind === 'map' ? entriesOf(field, element) : element, false);
  const children = [child];
  if (type.kind === 'fixed_list') {
    if (!(type.size > 0 && type.size <= ARRAY_MAX_SIZE)) {
      throw refused(field, `a fixed-size list of ${type.size}`, `sizes are 1 to ${ARRAY_MAX_SIZE}`);
    }
    return { format: `+w:${type.size}`, sql: `${child.sql}[${type.size}]`, layout: { kind: 'fixed_list', size: type.size }, children };
  }
  const offsetBytes = type.kind === 'large_list' ? 8 : 4;
  const layout = { kind: 'list', offsetBytes } as const;
  if (type.kind === 'map') {
    const [key, value] = child.children;
    return { format: '+m', sql: `MAP(${key?.sql}, ${value?.sql})`, layout, children };
  }
  return { format: type.kind === 'list' ? '+l' : '+L', sql: `${child.sql}[]`, layout, children };
}

// Writers name the two fields of a map as they like, even alike.
function entriesOf(field: UploadedField, entries: UploadedField): UploadedField {
  const [key, value, ...more] = entries.children;
  if (entries.type.kind !== 'struct' || entries.dictionary !== undefined || key === undefined || value === undefined || more.length > 0) {
    throw malformedType(field);
  }
  if (key.type.kind === 'null') {
    throw refused(field, 'a map whose keys are NULL', 'give the keys a type');
  }
  return {
    ...entries,
    children: [
      { ...key, name: 'key' },
      { ...value, name: 'value' },
    ],
  };
}

const ANY: FixedValues = { kind: 'any' };

function fixed(format: string, sql: string, width: number, values: FixedValues = ANY): Typed {
  return { format, sql, layout: { kind: 'fixed', width, values } };
}

const UNIT_LETTERS: Readonly<Record<TimeUnit, string>> = { second: 's', millisecond: 'm', microsecond: 'u', nanosecond: 'n' };

function scalarOf(field: UploadedField): Typed {
  const { type } = field;
  switch (type.kind) {
    case 'null':
      return { format: 'n', sql: 'INTEGER', layout: { kind: 'null' } };
    case 'bool':
      return { format: 'b', sql: 'BOOLEAN', layout: { kind: 'bits' } };
    case 'int':
      return integerOf(field, type.bits, type.signed);
    case 'float':
      if (type.bits === 16) {
        throw refused(field, 'float16', 'cast it to float32');
      }
      return type.bits === 32 ? fixed('f', 'FLOAT', 4) : fixed('g', 'DOUBLE', 8);
    case 'utf8':
    case 'large_utf8':
    case 'binary':
    case 'large_binary':
    case 'utf8_view':
    case 'binary_view':
      return bytesOf(type.kind);
    case 'fixed_binary':
      if (type.width <= 0) {
        throw refused(field, 'binary without bytes', 'leave it out');
      }
      return fixed(`w:${type.width}`, 'BLOB', type.width);
    case 'decimal':
      return decimalOf(field, type.precision, type.scale, type.bits);
    case 'date':
      // What is sent in milliseconds is days by then.
      return type.milliseconds ? fixed('tdD', 'DATE', 8, { kind: 'day_milliseconds' }) : fixed('tdD', 'DATE', 4, { kind: 'days' });
    case 'time':
      return timeOf(field, type.unit, type.bits);
    case 'timestamp':
      return timestampOf(type.unit, type.zoned);
    case 'duration':
      return fixed(`tD${UNIT_LETTERS[type.unit]}`, 'INTERVAL', 8);
    case 'interval':
      if (type.unit === 'day_time') {
        throw refused(field, 'an interval of days and milliseconds', 'cast it to month_day_nano_interval or duration');
      }
      return type.unit === 'year_month' ? fixed('tiM', 'INTERVAL', 4) : fixed('tin', 'INTERVAL', 16);
    default:
      throw refused(field, `Arrow type number ${field.typeNumber}`, 'cast it to another type');
  }
}

function integerOf(field: UploadedField, bits: number, signed: boolean): Typed {
  const found = { 8: ['c', 'TINYINT'], 16: ['s', 'SMALLINT'], 32: ['i', 'INTEGER'], 64: ['l', 'BIGINT'] }[bits];
  if (found === undefined) {
    throw malformedType(field);
  }
  const [format = '', sql = ''] = found;
  return signed ? fixed(format, sql, bits / 8) : fixed(format.toUpperCase(), `U${sql}`, bits / 8);
}

function bytesOf(kind: 'utf8' | 'large_utf8' | 'binary' | 'large_binary' | 'utf8_view' | 'binary_view'): Typed {
  const format = { utf8: 'u', large_utf8: 'U', binary: 'z', large_binary: 'Z', utf8_view: 'vu', binary_view: 'vz' }[kind];
  const text = kind.includes('utf8');
  const layout = kind.endsWith('view')
    ? ({ kind: 'views', text } as const)
    : ({ kind: 'bytes', offsetBytes: kind.startsWith('large') ? 8 : 4, text } as const);
  return { format, sql: text ? 'VARCHAR' : 'BLOB', layout };
}

function decimalOf(field: UploadedField, precision: number, scale: number, bits: number): Typed {
  if (![32, 64, 128].includes(bits) || precision < 1 || precision > Math.min(38, { 32: 9, 64: 18 }[bits] ?? 38)) {
    throw refused(field, `a decimal of ${bits} bits and ${precision} digits`, 'DuckDB holds 38 digits in 128 bits');
  }
  if (scale < 0 || scale > precision) {
    throw refused(field, `a decimal of ${precision} digits with scale ${scale}`, 'the scale must lie between 0 and the digits');
  }
  return fixed(`d:${precision},${scale},${bits}`, `DECIMAL(${precision}, ${scale})`, bits / 8, {
    kind: 'decimal',
    precision,
    words: bits / 32,
  });
}

const DAY_SECONDS = 86_400;

function timeOf(field: UploadedField, unit: TimeUnit, bits: number): Typed {
  const perSecond = { second: 1, millisecond: 1e3, microsecond: 1e6, nanosecond: 1e9 }[unit];
  const expectedBits = perSecond < 1e6 ? 32 : 64;
  if (bits !== expectedBits) {
    throw malformedType(field);
  }
  const values = { kind: expectedBits === 32 ? 'int32' : 'int64', min: 0, max: DAY_SECONDS * perSecond } as const;
  return fixed(`tt${UNIT_LETTERS[unit]}`, unit === 'nanosecond' ? 'TIME_NS' : 'TIME', expectedBits / 8, values);
}

// DuckDB's first timestamp is in the year 290309 before Christ; the last that fits is infinity.
const TIMESTAMP_MIN_MICROS = -9_223_372_022_400_000_000;
const TIMESTAMP_TYPES = {
  second: 'TIMESTAMP_S',
  millisecond: 'TIMESTAMP_MS',
  microsecond: 'TIMESTAMP',
  nanosecond: 'TIMESTAMP_NS',
} as const;

function timestampOf(unit: TimeUnit, zoned: boolean): Typed {
  const perMicro = { second: 1e-6, millisecond: 1e-3, microsecond: 1, nanosecond: 1000 }[unit];
  const values: FixedValues =
    unit === 'nanosecond' ? ANY : { kind: 'int64', min: TIMESTAMP_MIN_MICROS * perMicro, max: 2 ** 63 * perMicro };
  return zoned
    ? fixed(`ts${UNIT_LETTERS[unit]}:UTC`, 'TIMESTAMP WITH TIME ZONE', 8, values)
    : fixed(`ts${UNIT_LETTERS[unit]}:`, TIMESTAMP_TYPES[unit], 8, values);
}

function isSigned(type: UploadedType): boolean {
  return type.kind === 'int' && type.signed;
}

// DuckDB's names do not tell upper from lower case.
function requireDistinct(fields: readonly UploadedField[], whose: string): void {
  const seen = new Set<string>();
  for (const { name } of fields) {
    const folded = name.toLowerCase();
    if (name === '' || name.includes('\0') || seen.has(folded)) {
      const reason = seen.has(folded) ? 'two columns or fields of the name' : 'a name that SQL does not allow:';
      throw new StatusError('invalid_argument', `${whose} have ${reason} ${JSON.stringify(name)}`);
    }
    seen.add(folded);
  }
}

function malformedType(field: UploadedField): StatusError {
  return new StatusError('invalid_argument', `The Arrow type of column "${field.name}" is malformed`);
}

function refused(field: UploadedField, what: string, advice: string): StatusError {
  return new StatusError('unimplemented', `Column "${field.name}" is ${what}, which cannot be ingested; ${advice}`);
}
