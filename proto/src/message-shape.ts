import { isUtf8 } from 'node:buffer';
import type { PackageDefinition } from '@grpc/proto-loader';
import { MESSAGE_MAX_FIELDS } from './limits.ts';
import { StatusError } from './status-error.ts';

/** What the fields of a message look like on the wire, by number. */
export type MessageShape = ReadonlyMap<number, FieldShape>;

interface FieldShape {
  readonly wireType: number;
  readonly content: 'number' | 'string' | 'bytes' | 'message';
  /** Repeated numbers may also come packed into one length-delimited field. */
  readonly packable: boolean;
  /** Of a message field; a function, since messages may refer to one another. */
  readonly message: () => MessageShape;
}

interface FieldDescriptor {
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName: string;
}

interface MessageDescriptor {
  readonly name: string;
  readonly field: readonly FieldDescriptor[];
  readonly nestedType: readonly MessageDescriptor[];
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
// Protobuf encoding: ten groups of seven bits hold any 64-bit number.
const VARINT_MAX_BYTES = 10;

const WIRE_TYPES: Readonly<Record<string, number>> = {
  TYPE_DOUBLE: FIXED64,
  TYPE_FIXED64: FIXED64,
  TYPE_SFIXED64: FIXED64,
  TYPE_FLOAT: FIXED32,
  TYPE_FIXED32: FIXED32,
  TYPE_SFIXED32: FIXED32,
  TYPE_STRING: LENGTH_DELIMITED,
  TYPE_BYTES: LENGTH_DELIMITED,
  TYPE_MESSAGE: LENGTH_DELIMITED,
};

/** The shapes of all messages of a definition file, by full name. */
export function messageShapes(definitions: PackageDefinition): ReadonlyMap<string, MessageShape> {
  const shapes = new Map<string, MessageShape>();
  for (const [name, definition] of Object.entries(definitions)) {
    if ('format' in definition && definition.format === 'Protocol Buffer 3 DescriptorProto') {
      addShape(shapes, name, definition.type as unknown as MessageDescriptor);
    }
  }
  return shapes;
}

function addShape(shapes: Map<string, MessageShape>, name: string, descriptor: MessageDescriptor): void {
  const fields = descriptor.field.map((field) => [field.number, fieldShape(shapes, name, field)] as const);
  shapes.set(name, new Map(fields));
  for (const nested of descriptor.nestedType) {
    addShape(shapes, `${name}.${nested.name}`, nested);
  }
}

function fieldShape(shapes: ReadonlyMap<string, MessageShape>, scope: string, field: FieldDescriptor): FieldShape {
  const wireType = WIRE_TYPES[field.type] ?? VARINT;
  return {
    wireType,
    content: contentOf(field.type),
    packable: field.label === 'LABEL_REPEATED' && wireType !== LENGTH_DELIMITED,
    message: () => resolve(shapes, scope, field.typeName),
  };
}

function contentOf(type: string): FieldShape['content'] {
  switch (type) {
    case 'TYPE_STRING':
      return 'string';
    case 'TYPE_BYTES':
      return 'bytes';
    case 'TYPE_MESSAGE':
      return 'message';
    default:
      return 'number';
  }
}

/** A type's name counts from the innermost scope that knows it, as in the definition language. */
function resolve(shapes: ReadonlyMap<string, MessageShape>, scope: string, typeName: string): MessageShape {
  let prefix = scope;
  while (prefix !== '') {
    const found = shapes.get(`${prefix}.${typeName}`);
    if (found !== undefined) {
      return found;
    }
    prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('.')));
  }
  const found = shapes.get(typeName);
  if (found === undefined) {
    throw new Error(`no definition of ${typeName}`);
  }
  return found;
}

/**
 * Throws unless the bytes are a message of this shape to their very end. The decoder behind it clamps lengths that run past the end, ignores
 * wire types and repairs bad UTF-8; a statement cut short or altered that way must never run. Counts fields too, since each costs memory.
 */
export function checkMessage(shape: MessageShape, bytes: Buffer): void {
  checkFields(shape, bytes, 0, bytes.length, { left: MESSAGE_MAX_FIELDS });
}

function checkFields(shape: MessageShape, bytes: Buffer, start: number, end: number, fields: { left: number }): void {
  let at = start;
  while (at < end) {
    fields.left -= 1;
    if (fields.left < 0) {
      throw new StatusError('resource_exhausted', `a message has more than ${MESSAGE_MAX_FIELDS} fields`);
    }
    const tag = readVarint(bytes, at, end);
    const wireType = tag.value % 8;
    const field = shape.get(Math.floor(tag.value / 8));
    if (tag.value < 8 || (field !== undefined && !fits(field, wireType))) {
      throw malformed();
    }
    at = wireType === LENGTH_DELIMITED ? checkDelimited(field, bytes, tag.end, end, fields) : skipNumber(wireType, bytes, tag.end, end);
  }
}

function fits(field: FieldShape, wireType: number): boolean {
  return wireType === field.wireType || (field.packable && wireType === LENGTH_DELIMITED);
}

function checkDelimited(field: FieldShape | undefined, bytes: Buffer, at: number, end: number, fields: { left: number }): number {
  const length = readVarint(bytes, at, end);
  const contentEnd = length.end + length.value;
  if (contentEnd > end) {
    throw malformed();
  }
  if (field?.content === 'message') {
    checkFields(field.message(), bytes, length.end, contentEnd, fields);
  } else if (field?.content === 'string' && !isUtf8(bytes.subarray(length.end, contentEnd))) {
    throw malformed();
  } else if (field?.content === 'number') {
    checkPacked(field.wireType, bytes, length.end, contentEnd);
  }
  return contentEnd;
}

function checkPacked(wireType: number, bytes: Buffer, start: number, end: number): void {
  let at = start;
  while (at < end) {
    at = skipNumber(wireType, bytes, at, end);
  }
}

function skipNumber(wireType: number, bytes: Buffer, at: number, end: number): number {
  switch (wireType) {
    case VARINT:
      return readVarint(bytes, at, end).end;
    case FIXED64:
      return within(at + 8, end);
    case FIXED32:
      return within(at + 4, end);
    default:
      // Groups left the language with proto2.
      throw malformed();
  }
}

function within(at: number, end: number): number {
  if (at > end) {
    throw malformed();
  }
  return at;
}

/** Exact up to 2^53; what lies above is larger than any length or tag. */
function readVarint(bytes: Buffer, start: number, end: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let factor = 1;
  for (let at = start; at < end && at < start + VARINT_MAX_BYTES; at += 1) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) {
      return { value, end: at + 1 };
    }
  }
  throw malformed();
}

function malformed(): StatusError {
  return new StatusError('invalid_argument', 'the bytes are not a well-formed message');
}
