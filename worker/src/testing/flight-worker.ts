import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders, performServerHandshake } from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  decodeFlightData,
  decodeFlightInfo,
  decodePutResult,
  decodeResult,
  encodeAction,
  encodeFlightData,
  encodeFlightDescriptor,
  encodeTicket,
  FLIGHT_SERVICE_PATH,
  type FlightDescriptor,
  type FlightInfo,
} from '@jetbridge/proto/flight';
import { encodeCommand, type FlightSqlCommand } from '@jetbridge/proto/flight-sql';
import { encodeFlightSqlAction, type FlightSqlAction } from '@jetbridge/proto/flight-sql-action';
import { decodePreparedStatementResult, type PreparedStatementResult } from '@jetbridge/proto/flight-sql-result';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { PRINCIPAL_HEADER, SESSION_HEADER } from '@jetbridge/proto/headers';
import { newId } from '@jetbridge/proto/ids';
import type { Schema, Table } from 'apache-arrow';
import { tableFromIPC } from 'apache-arrow';
import { recordBatchFrames } from '../arrow/record-batch-frames.ts';
import { schemaMessage } from '../arrow/schema-message.ts';
import { prepareCatalog } from '../catalog/prepare-catalog.ts';
import { openDuckDb } from '../engine/duckdb-engine.ts';
import type { Engine } from '../engine/engine.ts';
import type { FlightContext } from '../flight/context.ts';
import { GrpcServer } from '../flight/server.ts';
import { flightHandlers } from '../flight/service.ts';
import { Tickets } from '../flight/tickets.ts';
import { HEAD_START_LIMITS } from '../limits.ts';
import { encapsulated } from '../query/decode-frames.ts';
import { Executor } from '../query/executor.ts';
import { type HeadStartLimits, HeadStarts } from '../query/head-starts.ts';
import { Sessions } from '../query/sessions.ts';
import { Statements } from '../query/statements.ts';
import { createLogger, createMetrics } from '../telemetry.ts';
import { callAll, type GrpcAnswer, openCall } from './grpc-client.ts';

export interface FlightWorkerOptions {
  readonly directory: string;
  readonly sourceDirectory?: string;
  readonly nowMs?: () => number;
  readonly headStarts?: Partial<HeadStartLimits>;
}

/** The Flight half of a worker with a real engine, on a loopback connection without TLS. */
export class FlightWorker {
  readonly engine: Engine;
  readonly catalogs: readonly string[];
  readonly context: FlightContext;
  readonly #session: ClientHttp2Session;
  readonly #sockets: readonly Socket[];

  private constructor(
    engine: Engine,
    catalogs: readonly string[],
    context: FlightContext,
    session: ClientHttp2Session,
    sockets: readonly Socket[],
  ) {
    this.engine = engine;
    this.catalogs = catalogs;
    this.context = context;
    this.#session = session;
    this.#sockets = sockets;
  }

  static async open(options: FlightWorkerOptions): Promise<FlightWorker> {
    const log = createLogger('silent');
    const { directory, sourceDirectory, nowMs = Date.now } = options;
    const engine = await openDuckDb({ path: join(directory, 'files.duckdb'), threads: 2 });
    const catalogs = await prepareCatalog({ catalog: 'files', sourceDirectory, dataDirectory: directory }, engine, log);
    const executor = new Executor(() => performance.now());
    const sessions = new Sessions({ engine, executor, defaultLocation: { catalog: 'files', schema: 'main' }, nowMs });
    const statements = new Statements(executor, sessions.budget);
    const context: FlightContext = {
      sessions,
      statements,
      headStarts: new HeadStarts(statements, { ...HEAD_START_LIMITS, waitMs: 60_000, ttlMs: 60_000, ...options.headStarts }),
      tickets: new Tickets({ workerId: newId('wkr'), key: randomBytes(32), nowMs, randomBytes }),
      metrics: createMetrics(),
    };
    const server = new GrpcServer({ handlers: flightHandlers(context), log, metrics: context.metrics });
    const [near, far] = await socketPair();
    const serving = performServerHandshake(far);
    serving.on('stream', (stream, headers) => void server.serve(stream, headers));
    serving.on('error', () => far.destroy());
    const session = connect('http://worker', { createConnection: () => near });
    session.on('error', () => near.destroy());
    return new FlightWorker(engine, catalogs, context, session, [near, far]);
  }

  async close(): Promise<void> {
    this.#session.destroy();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.context.sessions.closeAll();
    await this.engine.close();
  }

  /** A client of its own principal and session. */
  client(principalId: string = newId('prn'), headers: OutgoingHttpHeaders = {}): FlightClient {
    return new FlightClient(this.#session, { [PRINCIPAL_HEADER]: principalId, [SESSION_HEADER]: newId('ses'), ...headers });
  }
}

async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [near, far];
}

/** A Flight SQL client as far as the tests need one. */
export class FlightClient {
  readonly #session: ClientHttp2Session;
  readonly headers: OutgoingHttpHeaders;

  constructor(session: ClientHttp2Session, headers: OutgoingHttpHeaders) {
    this.#session = session;
    this.headers = headers;
  }

  with(headers: OutgoingHttpHeaders): FlightClient {
    return new FlightClient(this.#session, { ...this.headers, ...headers });
  }

  call(method: string, messages: readonly Buffer[]): Promise<GrpcAnswer> {
    return callAll(this.#session, FLIGHT_SERVICE_PATH + method, messages, this.headers);
  }

  async info(command: FlightSqlCommand): Promise<FlightInfo> {
    const { messages } = await this.call('GetFlightInfo', [encodeFlightDescriptor(descriptorOf(command))]);
    return decodeFlightInfo(messages[0] ?? Buffer.alloc(0));
  }

  fetchRaw(info: FlightInfo): Promise<GrpcAnswer> {
    return this.call('DoGet', [encodeTicket({ ticket: ticketOf(info) })]);
  }

  async fetch(info: FlightInfo): Promise<Table> {
    const { messages } = await this.fetchRaw(info);
    return tableFromIPC(Buffer.concat(messages.flatMap((message) => encapsulated(decodeFlightData(message)))));
  }

  /** A DoGet that the caller reads, or does not. */
  startFetch(info: FlightInfo): ClientHttp2Stream {
    const stream = openCall(this.#session, `${FLIGHT_SERVICE_PATH}DoGet`, this.headers);
    stream.end(frameMessage(encodeTicket({ ticket: ticketOf(info) })));
    return stream;
  }

  async query(query: string): Promise<readonly Record<string, unknown>[]> {
    return plainRows(await this.fetch(await this.info({ kind: 'statement_query', query })));
  }

  async metadata(command: FlightSqlCommand): Promise<Table> {
    return this.fetch(await this.info(command));
  }

  async action(action: FlightSqlAction): Promise<Buffer | undefined> {
    const { messages } = await this.call('DoAction', [encodeAction(encodeFlightSqlAction(action))]);
    return messages[0] === undefined ? undefined : decodeResult(messages[0]).body;
  }

  async prepare(query: string, transactionId?: Buffer): Promise<PreparedStatementResult> {
    const body = await this.action({ kind: 'create_prepared_statement', query, transactionId });
    return decodePreparedStatementResult(body ?? Buffer.alloc(0));
  }

  /** Uploads a table, or only the descriptor; answers the result's metadata. */
  async put(command: FlightSqlCommand, table?: Table): Promise<Buffer> {
    return this.putFrames(command, table === undefined ? [] : this.frames(table));
  }

  /** A table as the messages of an upload. */
  frames(table: Table): Buffer[] {
    return schemaAndBatches(table);
  }

  /** An upload that the caller goes on with, or does not. */
  startPut(command: FlightSqlCommand, frames: readonly Buffer[]): ClientHttp2Stream {
    const stream = openCall(this.#session, `${FLIGHT_SERVICE_PATH}DoPut`, this.headers);
    for (const message of described(command, frames)) {
      stream.write(frameMessage(message));
    }
    return stream;
  }

  async putFrames(command: FlightSqlCommand, frames: readonly Buffer[]): Promise<Buffer> {
    const { messages } = await this.call('DoPut', described(command, frames));
    return decodePutResult(messages[0] ?? Buffer.alloc(0)).appMetadata;
  }
}

function described(command: FlightSqlCommand, [first = encodeFlightData(NOTHING), ...rest]: readonly Buffer[]): readonly Buffer[] {
  return [encodeFlightData({ ...decodeFlightData(first), descriptor: descriptorOf(command) }), ...rest];
}

const NOTHING = { dataHeader: Buffer.alloc(0), appMetadata: Buffer.alloc(0), dataBody: Buffer.alloc(0) };
const GRPC_PREFIX_BYTES = 5;
const IPC_PREFIX_BYTES = 8;

function schemaAndBatches(table: Table): Buffer[] {
  const schema = encodeFlightData({ ...NOTHING, dataHeader: schemaMessage(table.schema).subarray(IPC_PREFIX_BYTES) });
  return [schema, ...recordBatchFrames(table.schema, table).map(({ bytes }) => bytes.subarray(GRPC_PREFIX_BYTES))];
}

function descriptorOf(command: FlightSqlCommand): FlightDescriptor {
  return { type: 'CMD', cmd: encodeCommand(command), path: [] };
}

export function ticketOf(info: FlightInfo): Buffer {
  return info.endpoint[0]?.ticket.ticket ?? Buffer.alloc(0);
}

export function plainRows(table: Table): readonly Record<string, unknown>[] {
  return table.toArray().map((row) => row.toJSON());
}

export function schemaOf(message: Buffer): Schema {
  return tableFromIPC(message).schema;
}
