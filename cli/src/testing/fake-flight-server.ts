import { once } from 'node:events';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import {
  decodeAction,
  decodeFlightData,
  decodeFlightDescriptor,
  decodeTicket,
  encodeFlightData,
  encodeFlightInfo,
  encodePutResult,
  encodeResult,
} from '@jetbridge/proto/flight';
import { decodeCommand } from '@jetbridge/proto/flight-sql';
import { decodeFlightSqlAction } from '@jetbridge/proto/flight-sql-action';
import { encodeDoPutUpdateResult, encodePreparedStatementResult } from '@jetbridge/proto/flight-sql-result';
import { StatusError } from '@jetbridge/proto/status-error';
import { grpcStatusOf } from '@jetbridge/proto/status-grpc';
import { MessageReader, RecordBatchStreamWriter, type Table, tableFromArrays } from 'apache-arrow';

/** What the fake answers a statement with. */
export type FakeAnswer =
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'changed'; readonly rows: number }
  | { readonly kind: 'error'; readonly error: StatusError }
  /** The table, then the failure. */
  | { readonly kind: 'broken'; readonly table: Table; readonly error: StatusError }
  /** The table again and again, until the client goes. */
  | { readonly kind: 'endless'; readonly table: Table };

export interface FakeFlightServer {
  readonly uri: string;
  readonly statements: readonly string[];
  readonly closedHandles: readonly string[];
  readonly handshakes: number;
  readonly sessionsClosed: number;
  /** Resolves when a client resets a result stream. */
  readonly cancelled: Promise<void>;
  expireSession(): void;
  close(): Promise<void>;
}

const bytes = (buffer: Buffer): Buffer => buffer;
const PATH = '/arrow.flight.protocol.FlightService/';

/** A small Flight SQL server over plain gRPC: real framing, real streams, answers made by the test. Signs in `tester` with `secret`. */
export async function startFakeFlightServer(answer: (sql: string) => FakeAnswer): Promise<FakeFlightServer> {
  const statements: string[] = [];
  const closedHandles: string[] = [];
  const counts = { handshakes: 0, sessionsClosed: 0, generation: 1 };
  const cancelled = Promise.withResolvers<void>();
  const server = new Server();

  const authorize = (metadata: Metadata): StatusError | undefined => {
    const [value] = metadata.get('authorization');
    return value === `Bearer session-${counts.generation}` ? undefined : new StatusError('unauthenticated', 'sign in again');
  };
  const unary = {
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  const definition = {
    Handshake: { ...unary, path: `${PATH}Handshake`, requestStream: true, responseStream: true },
    GetFlightInfo: { ...unary, path: `${PATH}GetFlightInfo` },
    DoGet: { ...unary, path: `${PATH}DoGet`, responseStream: true },
    DoPut: { ...unary, path: `${PATH}DoPut`, requestStream: true, responseStream: true },
    DoAction: { ...unary, path: `${PATH}DoAction`, responseStream: true },
  };

  server.addService(definition, {
    Handshake: (call: ServerDuplexStream<Buffer, Buffer>) => {
      counts.handshakes += 1;
      const basic = Buffer.from('tester:secret').toString('base64');
      if (call.metadata.get('authorization')[0] !== `Basic ${basic}`) {
        fail(call, new StatusError('unauthenticated', 'unknown user name or password'));
        return;
      }
      const headers = new Metadata();
      headers.set('authorization', `Bearer session-${counts.generation}`);
      call.sendMetadata(headers);
      call.on('data', () => undefined);
      call.on('end', () => call.end());
    },
    GetFlightInfo: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
      const command = decodeCommand(decodeFlightDescriptor(call.request).cmd);
      const sql = command.kind === 'prepared_statement_query' ? command.handle.toString() : command.kind;
      const found = answer(sql);
      const error = authorize(call.metadata) ?? (found.kind === 'error' ? found.error : undefined);
      if (error !== undefined) {
        reply({ code: grpcStatusOf(error.code), details: error.message });
        return;
      }
      reply(
        null,
        encodeFlightInfo({
          schema: Buffer.alloc(0),
          endpoint: [{ ticket: { ticket: Buffer.from(sql) }, location: [] }],
          totalRecords: -1,
          totalBytes: -1,
        }),
      );
    },
    DoGet: (call: ServerWritableStream<Buffer, Buffer>) => {
      call.on('cancelled', () => cancelled.resolve());
      void sendAnswer(call, answer(decodeTicket(call.request).ticket.toString()));
    },
    DoPut: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.once('data', (message: Buffer) => {
        const command = decodeCommand(decodeFlightData(message).descriptor?.cmd ?? Buffer.alloc(0));
        const found = command.kind === 'prepared_statement_update' ? answer(command.handle.toString()) : undefined;
        call.write(encodePutResult({ appMetadata: encodeDoPutUpdateResult(found?.kind === 'changed' ? found.rows : -1) }));
        call.end();
      });
    },
    DoAction: (call: ServerWritableStream<Buffer, Buffer>) => {
      const error = authorize(call.metadata);
      if (error !== undefined) {
        fail(call, error);
        return;
      }
      const action = decodeFlightSqlAction(decodeAction(call.request));
      if (action.kind === 'create_prepared_statement') {
        statements.push(action.query);
        const isUpdate = answer(action.query).kind === 'changed';
        call.write(
          encodeResult({
            body: encodePreparedStatementResult({
              handle: Buffer.from(action.query),
              datasetSchema: Buffer.alloc(0),
              parameterSchema: Buffer.alloc(0),
              isUpdate,
            }),
          }),
        );
      } else if (action.kind === 'close_prepared_statement') {
        closedHandles.push(action.handle.toString());
      } else if (action.kind === 'close_session') {
        counts.sessionsClosed += 1;
      }
      call.end();
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    uri: `grpc://127.0.0.1:${port}`,
    statements,
    closedHandles,
    get handshakes() {
      return counts.handshakes;
    },
    get sessionsClosed() {
      return counts.sessionsClosed;
    },
    cancelled: cancelled.promise,
    expireSession: () => {
      counts.generation += 1;
    },
    close: async () => {
      server.forceShutdown();
    },
  };
}

async function sendAnswer(call: ServerWritableStream<Buffer, Buffer>, answer: FakeAnswer): Promise<void> {
  if (answer.kind === 'error' || answer.kind === 'changed') {
    fail(call, answer.kind === 'error' ? answer.error : new StatusError('internal', 'no rows'));
    return;
  }
  const [schema = Buffer.alloc(0), ...batches] = flightMessages(answer.table);
  call.write(schema);
  do {
    for (const batch of batches) {
      if (!call.write(batch) && !call.cancelled) {
        await Promise.race([once(call, 'drain'), once(call, 'cancelled')]);
      }
    }
  } while (answer.kind === 'endless' && !call.cancelled);
  if (answer.kind === 'broken') {
    fail(call, answer.error);
  } else {
    call.end();
  }
}

function fail(call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>, error: StatusError): void {
  call.emit('error', { code: grpcStatusOf(error.code), details: error.message });
}

/** The table as FlightData messages: what `RecordBatchStreamWriter` writes, out of its frames. */
function flightMessages(table: Table): readonly Buffer[] {
  const stream = Buffer.from(RecordBatchStreamWriter.writeAll(table).toUint8Array(true));
  const reader = new MessageReader(stream);
  const messages: Buffer[] = [];
  const empty = Buffer.alloc(0);
  let at = 0;
  for (const message of reader) {
    const length = stream.readInt32LE(at + 4);
    const dataHeader = stream.subarray(at + 8, at + 8 + length);
    const dataBody = stream.subarray(at + 8 + length, at + 8 + length + Number(message.bodyLength));
    reader.readMessageBody(Number(message.bodyLength));
    at += 8 + length + dataBody.length;
    messages.push(encodeFlightData({ dataHeader, appMetadata: empty, dataBody }));
  }
  return messages;
}

/** A table of one integer column `i` from 0 to `rows` - 1. */
export function numbersTable(rows: number): Table {
  return tableFromArrays({ i: Int32Array.from({ length: rows }, (_, i) => i) });
}
