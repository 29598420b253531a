const KIB = 1024;
const MIB = 1024 * KIB;

// --- the engine ---

// How many statements the engine works on at this moment. Each occupies one thread of the engine while it works, and more than a few
// per core only compete; a stream whose reader stalls occupies none.
export const ENGINE_CALLS_MAX = 16;

// Threads beside those: name look-ups, file reads and TLS must go on while every statement works.
export const POOL_SPARE_THREADS = 6;

// New statements that wait for the engine. Past this the wait would exceed what clients accept, so they are told at once.
export const STATEMENTS_WAITING_MAX = 256;

// Result streams open at once, stalled ones included: each holds a connection and up to STREAM_BUFFER_BYTES.
export const STREAMS_OPEN_MAX = 256;

// An interrupt that arrives between two steps of the engine is lost, so it is repeated until the work has ended. Well below the 200 ms in
// which a cancelled statement must stop.
export const INTERRUPT_REPEAT_MS = 50;

// A small result rides back behind its FlightInfo and saves its DoGet the way. Larger ones gain nothing by it.
export const CARRIED_BYTES_MAX = 64 * KIB;

export const HEAD_START_LIMITS = {
  bytesMax: CARRIED_BYTES_MAX,
  // Each may become a stream of its own: a quarter of STREAMS_OPEN_MAX.
  startsMax: 64,
  // The client has its FlightInfo already; what takes longer is fetched as ever.
  waitMs: 100,
  // A query begun at GetFlightInfo stands still until its DoGet, which follows at once from any client that wants the rows: a long line and a
  // slow client included. It holds a connection and what the engine has read ahead.
  ttlMs: 1_500,
} as const;

// --- sessions ---

// Sessions of all principals. An idle one costs a few kilobytes; the bound stops a client that opens one per call.
export const SESSIONS_MAX = 4096;

// A session nobody used for this long is closed: its temporary tables and its transaction would be held for ever by clients that vanish.
export const SESSION_IDLE_TTL_MS = 30 * 60_000;

// How often idle sessions, handles and stored results are looked through.
export const SWEEP_INTERVAL_MS = 30_000;

// JDBC leaks prepared handles (clients.md rule 16): the least recently used goes first.
export const PREPARED_PER_SESSION_MAX = 256;
export const PREPARED_TTL_MS = 30 * 60_000;

// A statement that computed for longer is freed when it has run, and prepared again (1 to 2 ms) if it runs again.
export const KEPT_PREPARED_MICROS_MAX = 50_000;

// Opened statements (tickets not fetched yet, stored results) of one session.
export const OPENED_PER_SESSION_MAX = 256;

// A ticket is fetched right after GetFlightInfo; partitioned readers hand it to other processes first.
export const TICKET_TTL_MS = 10 * 60_000;

// Idle connections a session keeps for its next statements. One is what a sequential client uses; the second serves two cursors.
export const IDLE_CONNECTIONS_PER_SESSION_MAX = 2;

// Statements that wait for a session's one stateful connection (open transaction, temporary objects).
export const SESSION_QUEUE_MAX = 64;

// Rows of INSERT … RETURNING and the like are kept until they are fetched, possibly twice: per statement, and for all sessions together.
export const STORED_RESULT_BYTES_MAX = 32 * MIB;
export const STORED_RESULTS_BYTES_MAX = 256 * MIB;

// SQL text. Generated statements reach hundreds of kilobytes; parsing more than this holds an engine thread for seconds.
export const SQL_BYTES_MAX = 4 * MIB;

// --- Flight ---

// One gRPC message of a command, and one of DoPut: clients send up to 16 MiB by default, an ingest of 200 k rows came as 10.4 MB.
export const COMMAND_BYTES_MAX = 8 * MIB;
export const PUT_MESSAGE_BYTES_MAX = 64 * MIB;

// All parameter rows of one DoPut: they are decoded before the first row runs, so that a bad batch changes nothing. Ingests have no bound.
export const PUT_TOTAL_BYTES_MAX = 128 * MIB;

// What a message takes here beside its bytes: a million empty ones are not nothing.
export const MESSAGE_COST_BYTES = 256;

// Messages of an upload that may wait while the engine works on the one before; the caller is held back beyond. Enough to keep both busy.
export const UPLOAD_AHEAD_BYTES = 16 * MIB;

// Ingests at once. Each holds a few messages of up to PUT_MESSAGE_BYTES_MAX and what the engine has not flushed yet: 100 to 300 MB at worst.
export const INGESTS_OPEN_MAX = 32;

// JDBC sends every unknown URL parameter as a header of every call (clients.md rule 15).
export const HEADER_LIST_BYTES_MAX = 64 * KIB;
export const HEADER_PAIRS_MAX = 256;

// Bytes a result stream may hold for a slow reader before the engine is asked for no more.
export const STREAM_BUFFER_BYTES = 2 * MIB;

// A result smaller than this leaves together with its headers and trailers in few writes; a larger one starts to flow at once.
export const COALESCE_BYTES = 64 * KIB;
// A slow statement's first rows must not wait for that much.
export const COALESCE_DELAY_MS = 5;

// Receivers of grpc-go and grpc-js refuse messages over 4 MiB by default (clients.md rule 13).
export const SENT_MESSAGE_BYTES_MAX = 3.5 * MIB;

// Rows of one metadata batch: GetTables with schemas holds about 1 KiB per row.
export const METADATA_BATCH_ROWS = 1024;

// Distinct column types whose Arrow form is remembered for GetTables; ENUMs spell out their members, so types are not few by nature.
export const REMEMBERED_TYPES_MAX = 4096;

// --- the tunnel ---

// Windows: 64 KB costs half the speed, and over a long line the window must cover bandwidth × delay (tunnel.md).
export const STREAM_WINDOW_BYTES = 4 * MIB;
export const TUNNEL_WINDOW_BYTES = 16 * MIB;

// RPCs of one gateway at once. Memory is streams × window (tunnel.md), and only uploads fill a window.
export const TUNNEL_STREAMS_MAX = 512;

// A gateway passes its clients' resets on, so one tunnel sees those of hundreds of clients: Node's defaults (1000, then 33 a second) are a
// single client's.
export const STREAM_RESET_BURST = 10_000;
export const STREAM_RESETS_PER_SECOND = 1_000;

// What node:http2 may hold for one tunnel, in megabytes: every open stream's buffered results count.
export const TUNNEL_MEMORY_MB = 1024;

// A peer that freezes must be noticed, but acks queue behind data: be generous (tunnel.md).
export const PING_INTERVAL_MS = 10_000;
export const PING_TIMEOUT_MS = 20_000;

// How long a reset connection may go unnoticed: statements of a restarted gateway wait for the next tunnel. One system call per tunnel.
export const CONNECTION_CHECK_MS = 1_000;

// From the first byte of the dial to a trusted TLS socket, and from there to the gateway's Hello.
export const DIAL_TIMEOUT_MS = 10_000;
export const HELLO_TIMEOUT_MS = 10_000;

// Reconnecting: quick enough for a restarted gateway, slow enough for a fleet of workers not to trample one that is starting.
export const BACKOFF_FIRST_MS = 100;
export const BACKOFF_MAX_MS = 15_000;

// Gateways one worker dials. Each costs one socket.
export const GATEWAYS_MAX = 64;

// The list of gateways is asked for on every failed dial, at most this often, and otherwise at this interval.
export const GATEWAYS_REFRESH_MIN_MS = 1_000;
export const GATEWAYS_REFRESH_INTERVAL_MS = 30_000;

// Control-api calls carry a few hundred bytes.
export const CONTROL_TIMEOUT_MS = 10_000;

// What may still run after SIGTERM. Kubernetes' default grace period is 30 s.
export const DRAIN_TIMEOUT_MS = 20_000;

// --- health ---

// A probe that answers later than this is no answer to its asker.
export const PROBE_TIMEOUT_MS = 2_000;

// --- the source directory ---

// Files served as views. Each is a catalog entry made at start.
export const SOURCE_FILES_MAX = 10_000;
export const SOURCE_DEPTH_MAX = 8;
// Names of views and schemas made from file names; what PostgreSQL's clients expect.
export const NAME_CHARACTERS_MAX = 63;
