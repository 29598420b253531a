import { type CallOptions, Client, type ClientDuplexStream, type ClientReadableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  type Action,
  decodeFlightData,
  decodeFlightInfo,
  decodePutResult,
  decodeResult,
  encodeAction,
  encodeFlightData,
  encodeFlightDescriptor,
  encodeTicket,
  FLIGHT_SERVICE_PATH,
  type FlightDataHead,
  type FlightInfo,
} from '@jetbridge/proto/flight';
import { encodeCommand, type FlightSqlCommand } from '@jetbridge/proto/flight-sql';
import { encodeFlightSqlAction } from '@jetbridge/proto/flight-sql-action';
import { decodeDoPutUpdateResult, decodePreparedStatementResult, type PreparedStatementResult } from '@jetbridge/proto/flight-sql-result';
import { StatusError } from '@jetbridge/proto/status-error';
import { statusCodeOfGrpc } from '@jetbridge/proto/status-grpc';
import { FLIGHT_CALL_TIMEOUT_MS, FLIGHT_CLOSE_TIMEOUT_MS, FLIGHT_MAX_MESSAGE_BYTES, FLIGHT_WINDOW_BYTES } from '../limits.ts';
import { hasNoFields } from './arrow-ipc.ts';
import { channelOf, describeTransport, type FlightAddress } from './flight-address.ts';

/** Who signs in: a name and a password, or an access token that stands for both. */
export type SignIn =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string };

/** What a statement answered: rows still to be read, or the number of rows it changed. */
export type Outcome =
  | { readonly kind: 'rows'; readonly messages: AsyncIterable<FlightDataHead> }
  | { readonly kind: 'changed'; readonly rows: number | undefined };

const bytes = (buffer: Buffer): Buffer => buffer;

/** A Flight SQL client with one session. Failures are StatusErrors with the server's own message. */
export class FlightClient {
  readonly #client: Client;
  readonly #uri: string;
  readonly #signIn: SignIn;
  #bearer: string | undefined;

  constructor(address: FlightAddress, signIn: SignIn) {
    const channel = channelOf(address);
    this.#uri = address.uri;
    this.#signIn = signIn;
    this.#bearer = signIn.kind === 'token' ? `Bearer ${signIn.token}` : undefined;
    this.#client = new Client(channel.target, channel.credentials, {
      'grpc.max_receive_message_length': FLIGHT_MAX_MESSAGE_BYTES,
      'grpc-node.flow_control_window': FLIGHT_WINDOW_BYTES,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 20_000,
    });
  }

  /** Runs one statement. The rows must be read to the end or their iteration ended; `signal` cancels at any time. */
  async execute(sql: string, signal: AbortSignal): Promise<Outcome> {
    const prepared = await this.#withSession((session) => this.#prepare(sql, session), signal);
    const isUpdate = prepared.isUpdate ?? hasNoFields(prepared.datasetSchema);
    if (isUpdate) {
      try {
        return { kind: 'changed', rows: await this.#update(prepared.handle, signal) };
      } finally {
        this.#forget(prepared.handle);
      }
    }
    try {
      const described = await this.#flightInfo({ kind: 'prepared_statement_query', handle: prepared.handle }, signal);
      return { kind: 'rows', messages: this.#read(described, signal, () => this.#forget(prepared.handle)) };
    } catch (error) {
      this.#forget(prepared.handle);
      throw error;
    }
  }

  /** Runs a metadata command. */
  async query(command: FlightSqlCommand, signal: AbortSignal): Promise<AsyncIterable<FlightDataHead>> {
    const described = await this.#withSession((session) => this.#flightInfo(command, session), signal);
    return this.#read(described, signal, () => undefined);
  }

  /** Ends the session, waiting only briefly: the gateway would forget it anyway. */
  async close(): Promise<void> {
    if (this.#bearer !== undefined && this.#signIn.kind === 'password') {
      const gone = AbortSignal.timeout(FLIGHT_CLOSE_TIMEOUT_MS);
      await this.#action(encodeFlightSqlAction({ kind: 'close_session' }), gone).catch(() => undefined);
    }
    this.#client.close();
  }

  /** Signs in when needed, and once more when the session has expired meanwhile. */
  async #withSession<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const fresh = this.#bearer === undefined;
    if (fresh) {
      await this.#handshake(signal);
    }
    try {
      return await call(signal);
    } catch (error) {
      if (fresh || this.#signIn.kind === 'token' || !(error instanceof StatusError) || error.code !== 'unauthenticated') {
        throw error;
      }
      this.#bearer = undefined;
      await this.#handshake(signal);
      return call(signal);
    }
  }

  async #handshake(signal: AbortSignal): Promise<void> {
    if (this.#signIn.kind === 'token') {
      return;
    }
    const { username, password } = this.#signIn;
    const metadata = new Metadata();
    metadata.set('authorization', `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`);
    const call = this.#duplex('Handshake', metadata, signal);
    const bearer = new Promise<string | undefined>((resolve) => {
      call.once('metadata', (headers: Metadata) => resolve(headers.get('authorization')[0]?.toString()));
      call.once('status', () => resolve(undefined));
    });
    call.end();
    for await (const _message of this.#messages(call, signal)) {
      // The token travels in the headers; payloads say nothing more.
    }
    this.#bearer = await bearer;
    if (this.#bearer === undefined) {
      throw new StatusError('unauthenticated', 'the server accepted the sign-in but sent no session token');
    }
  }

  async #prepare(sql: string, signal: AbortSignal): Promise<PreparedStatementResult> {
    const [result] = await this.#action(encodeFlightSqlAction({ kind: 'create_prepared_statement', query: sql }), signal);
    if (result === undefined) {
      throw new StatusError('internal', 'the server did not answer the statement');
    }
    return decodePreparedStatementResult(decodeResult(result).body);
  }

  async #update(handle: Buffer, signal: AbortSignal): Promise<number | undefined> {
    const call = this.#duplex('DoPut', this.#metadata(), signal);
    const empty = Buffer.alloc(0);
    const descriptor = { type: 'CMD', cmd: encodeCommand({ kind: 'prepared_statement_update', handle }), path: [] } as const;
    call.write(encodeFlightData({ descriptor, dataHeader: empty, appMetadata: empty, dataBody: empty }));
    call.end();
    let rows: number | undefined;
    for await (const message of this.#messages(call, signal)) {
      const changed = decodeDoPutUpdateResult(decodePutResult(message).appMetadata);
      rows = changed < 0 ? undefined : changed;
    }
    return rows;
  }

  #flightInfo(command: FlightSqlCommand, signal: AbortSignal): Promise<FlightInfo> {
    const request = encodeFlightDescriptor({ type: 'CMD', cmd: encodeCommand(command), path: [] });
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        `${FLIGHT_SERVICE_PATH}GetFlightInfo`,
        bytes,
        decodeFlightInfo,
        request,
        this.#metadata(),
        (error, described) => {
          signal.removeEventListener('abort', cancel);
          if (error === null && described !== undefined) {
            resolve(described);
          } else {
            reject(this.#failure(error, signal));
          }
        },
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) {
        cancel();
      }
    });
  }

  /** One endpoint after the other; each stream is reset when its reader stops early. */
  async *#read(described: FlightInfo, signal: AbortSignal, done: () => void): AsyncGenerator<FlightDataHead> {
    try {
      for (const { ticket } of described.endpoint) {
        const call = this.#client.makeServerStreamRequest(
          `${FLIGHT_SERVICE_PATH}DoGet`,
          bytes,
          decodeFlightData,
          encodeTicket(ticket),
          this.#metadata(),
        );
        yield* this.#messages(call, signal);
      }
    } finally {
      done();
    }
  }

  async #action(action: Action, signal: AbortSignal): Promise<readonly Buffer[]> {
    const call = this.#client.makeServerStreamRequest(
      `${FLIGHT_SERVICE_PATH}DoAction`,
      bytes,
      bytes,
      encodeAction(action),
      this.#metadata(),
    );
    const results: Buffer[] = [];
    for await (const message of this.#messages(call, signal)) {
      results.push(message);
    }
    return results;
  }

  /** Frees the statement at the server. Nobody waits: a lost close ends with the session. */
  #forget(handle: Buffer): void {
    void this.#action(
      encodeFlightSqlAction({ kind: 'close_prepared_statement', handle }),
      AbortSignal.timeout(FLIGHT_CALL_TIMEOUT_MS),
    ).catch(() => undefined);
  }

  #duplex(method: string, metadata: Metadata, signal: AbortSignal): ClientDuplexStream<Buffer, Buffer> {
    const options: CallOptions = method === 'Handshake' ? { deadline: Date.now() + FLIGHT_CALL_TIMEOUT_MS } : {};
    const call = this.#client.makeBidiStreamRequest(`${FLIGHT_SERVICE_PATH}${method}`, bytes, bytes, metadata, options);
    if (signal.aborted) {
      call.cancel();
    }
    return call;
  }

  async *#messages<T>(call: ClientReadableStream<T>, signal: AbortSignal): AsyncGenerator<T> {
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) {
      cancel();
    }
    try {
      for await (const message of call) {
        yield message as T;
      }
    } catch (error) {
      throw this.#failure(error, signal);
    } finally {
      signal.removeEventListener('abort', cancel);
      call.on('error', () => undefined);
      call.cancel();
    }
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    if (this.#bearer !== undefined) {
      metadata.set('authorization', this.#bearer);
    }
    return metadata;
  }

  #failure(thrown: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) {
      return signal.reason instanceof StatusError
        ? signal.reason
        : new StatusError('cancelled', 'the statement was cancelled', { cause: thrown });
    }
    const { code, details } = thrown as ServiceError;
    if (typeof code !== 'number') {
      return thrown;
    }
    return describeTransport(this.#uri, new StatusError(statusCodeOfGrpc(code), details, { cause: thrown }));
  }
}
