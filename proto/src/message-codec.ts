import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { checkMessage, type MessageShape, messageShapes } from './message-shape.ts';
import { StatusError } from './status-error.ts';

/** Both directions of one protobuf message. Decoded bytes fields share memory with the input. */
export interface MessageCodec<Wire> {
  encode(message: Wire): Buffer;
  /** Throws `invalid_argument` for bytes that are no such message and `resource_exhausted` above the size limit. */
  decode(bytes: Uint8Array): Wire;
}

/** Makes codecs of the messages in one definition file, by full message name. */
export type CodecSource = <Wire extends object>(messageName: string, maxBytes: number) => MessageCodec<Wire>;

// The folder is the sibling of src/ and of dist/ alike.
const DEFINITIONS = new URL('../definitions/', import.meta.url);

// A definition is a constant: modules that share a file parse it once.
const loaded = new Map<string, Definitions>();

interface Definitions {
  readonly messages: PackageDefinition;
  readonly shapes: ReadonlyMap<string, MessageShape>;
}

function definitionsOf(definitionFile: string): Definitions {
  const known = loaded.get(definitionFile);
  if (known !== undefined) {
    return known;
  }
  const path = fileURLToPath(new URL(definitionFile, DEFINITIONS));
  const messages = loadSync(path, { keepCase: false, longs: String, enums: String, defaults: true });
  const definitions = { messages, shapes: messageShapes(messages) };
  loaded.set(definitionFile, definitions);
  return definitions;
}

/**
 * Reads a definition file. Wire interfaces describe its messages in camelCase: enums are their names (unknown numbers stay numbers),
 * 64-bit integers decimal strings, absent messages null, absent `optional` fields missing, maps plain objects.
 */
export function loadMessages(definitionFile: string): CodecSource {
  const { messages, shapes } = definitionsOf(definitionFile);
  return <Wire extends object>(messageName: string, maxBytes: number): MessageCodec<Wire> => {
    const type = messages[messageName];
    const shape = shapes.get(messageName);
    if (type === undefined || shape === undefined) {
      throw new Error(`${definitionFile} defines no message ${messageName}`);
    }
    return codecOf(type as unknown as MessageTypeDefinition<Wire, Wire>, shape, messageName, maxBytes);
  };
}

function codecOf<Wire extends object>(
  type: MessageTypeDefinition<Wire, Wire>,
  shape: MessageShape,
  name: string,
  maxBytes: number,
): MessageCodec<Wire> {
  const shortName = name.slice(name.lastIndexOf('.') + 1);
  return {
    encode: (message) => type.serialize(message),
    decode: (bytes) => {
      if (bytes.length > maxBytes) {
        throw new StatusError('resource_exhausted', `a ${shortName} of ${bytes.length} bytes exceeds the limit of ${maxBytes}`);
      }
      const buffer = asBuffer(bytes);
      checkMessage(shape, buffer);
      try {
        return type.deserialize(buffer);
      } catch (cause) {
        throw new StatusError('invalid_argument', `the bytes are not a ${shortName} message`, { cause });
      }
    },
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
