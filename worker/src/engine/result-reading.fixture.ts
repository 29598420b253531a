import { type Table, tableFromIPC } from 'apache-arrow';
import { schemaMessage } from '../arrow/schema-message.ts';
import type { EngineConnection, EngineResult, ParameterValue } from './engine.ts';

/** For tests: reads frames as a client does. */

/** A FlightData taken out of its gRPC frame. */
export interface OpenedFrame {
  readonly header: Buffer;
  readonly body: Buffer;
}

export function openedFrame(frame: Buffer): OpenedFrame {
  if (frame[0] !== 0 || frame.readUInt32BE(1) !== frame.length - 5) {
    throw new Error('not one whole gRPC message');
  }
  let at = 5;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = frame[at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) {
        return value;
      }
    }
  };
  const field = (tag: number): Buffer => {
    if (varint() !== tag) {
      throw new Error(`expected protobuf tag ${tag}`);
    }
    const length = varint();
    at += length;
    return frame.subarray(at - length, at);
  };
  const header = field((2 << 3) | 2);
  const body = field((1000 << 3) | 2);
  if (at !== frame.length) {
    throw new Error('bytes after the body');
  }
  return { header, body };
}

/** Frames as an Arrow IPC stream. */
export function ipcStream(schema: EngineResult['schema'], frames: readonly Buffer[]): Buffer {
  const messages = frames.map(openedFrame).map(({ header, body }) => {
    const prefix = Buffer.alloc(8);
    prefix.writeInt32LE(-1, 0);
    prefix.writeInt32LE(header.length, 4);
    return Buffer.concat([prefix, header, body]);
  });
  return Buffer.concat([schemaMessage(schema), ...messages, Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])]);
}

/** Copies of all frames; releases the originals at once, so that their memory is reused while the test reads on. */
export async function framesOf(result: EngineResult): Promise<Buffer[]> {
  const frames: Buffer[] = [];
  for (let frame = await result.next(); frame; frame = await result.next()) {
    frames.push(Buffer.from(frame.bytes));
    frame.release();
  }
  return frames;
}

/** Prepares, binds, runs and reads one statement. */
export async function query(
  connection: EngineConnection,
  sql: string,
  values: readonly ParameterValue[] = [],
  mode: 'stream' | 'stored' = 'stream',
): Promise<Table> {
  const statement = await connection.prepare(sql);
  try {
    if (values.length > 0) {
      statement.bind(values);
    }
    const result = await statement.execute(mode);
    try {
      return tableFromIPC(ipcStream(result.schema, await framesOf(result)));
    } finally {
      await result.close();
    }
  } finally {
    statement.close();
  }
}
