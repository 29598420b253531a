/** Every bound of the gateway, with its reason. Tests pass their own, shortened ones to the parts they exercise. */

export interface KeepaliveLimits {
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
}

// Any byte from the peer counts as life, so an acknowledgement that queues behind data does no harm. A peer that freezes just after it was
// heard is given up after 2 × interval + timeout = 23 s: clients must learn of it within 25 s.
const TUNNEL_KEEPALIVE: KeepaliveLimits = { pingIntervalMs: 4_000, pingTimeoutMs: 15_000 };

// Clients sit behind NATs and laptops' lids, and some count pings as abuse: ask rarely, and wait generously.
const CLIENT_KEEPALIVE: KeepaliveLimits = { pingIntervalMs: 30_000, pingTimeoutMs: 20_000 };

export interface RelayLimits {
  /** Bytes written to a peer in one go. Larger writes cost more than they save; smaller ones cost a third more CPU. */
  readonly coalesceBytes: number;
  /** How far beyond the client's own deadline the gateway waits, so that whoever is closer to the cause reports it. */
  readonly deadlineGraceMs: number;
  /** Response bytes held back until the first message is whole (see relay.ts). Covers every answer of one small message. */
  readonly heldBytes: number;
}

export const RELAY_LIMITS: RelayLimits = { coalesceBytes: 256 * 1024, deadlineGraceMs: 250, heldBytes: 256 * 1024 };

export interface Http2Limits {
  readonly streams: number;
  /** What a stalled stream can hold at most in this process. Below 1 MiB a bulk transfer loses half its speed. */
  readonly streamWindowBytes: number;
  /** Node returns credit for the whole connection as soon as bytes arrive, so this limits speed (bandwidth × delay), not memory. */
  readonly connectionWindowBytes: number;
  /** In MB, as node:http2 counts it: frames queued for the peer and header tables. New streams are refused beyond it. */
  readonly sessionMemoryMb: number;
  /** JDBC turns unknown URL parameters into headers on every call. */
  readonly headerBytes: number;
  readonly headerPairs: number;
  readonly keepalive: KeepaliveLimits;
}

export interface FlightLimits {
  readonly http2: Http2Limits;
  /** A connection costs about 80 KB idle. */
  readonly connections: number;
  readonly tlsHandshakeTimeoutMs: number;
  /** From the headers of a call to the end of its first message, which is all that routing reads. */
  readonly firstMessageTimeoutMs: number;
  /** The largest gRPC message taken from a client. */
  readonly messageBytes: number;
  /** First messages waiting to be routed, over all clients together. */
  readonly waitingBytes: number;
  /** A username and password, or an empty message. */
  readonly handshakeBytes: number;
}

export const FLIGHT_LIMITS: FlightLimits = {
  http2: {
    // Clients queue what exceeds it; 256 keeps one client from taking the whole tunnel of a worker (512).
    streams: 256,
    streamWindowBytes: 1024 * 1024,
    connectionWindowBytes: 8 * 1024 * 1024,
    sessionMemoryMb: 128,
    headerBytes: 64 * 1024,
    headerPairs: 256,
    keepalive: CLIENT_KEEPALIVE,
  },
  connections: 2_000,
  tlsHandshakeTimeoutMs: 10_000,
  firstMessageTimeoutMs: 20_000,
  // An ingest of 200,000 rows was seen as one message of 10.4 MB; clients are told to stay below 64 MiB.
  messageBytes: 64 * 1024 * 1024,
  waitingBytes: 256 * 1024 * 1024,
  handshakeBytes: 16 * 1024,
};

/** How the window of a tunnel's streams follows the length of the line (ADR 10). */
export interface WindowLimits {
  readonly leastBytes: number;
  /** Shared by a tunnel's streams. */
  readonly budgetBytes: number;
  /** The speed that a window is made for. */
  readonly bytesPerMs: number;
  /** A window grows when there has been no reason against it for so long. */
  readonly calmMs: number;
  /** The shortest of so many counts: a busy moment makes a line look longer than it is, never shorter. */
  readonly roundTripsKept: number;
  /** Asked for at once when a tunnel opens. */
  readonly firstPings: number;
}

// Below 1 MiB a bulk transfer loses half its speed, on a line of any length. 512 stalled streams hold 1 GiB at worst.
const TUNNEL_WINDOW_BYTES = 2 * 1024 * 1024;

const TUNNEL_WINDOW: WindowLimits = {
  leastBytes: TUNNEL_WINDOW_BYTES,
  // One process relays up to 700 MB/s; over 50 ms that takes a window of 60 MB. A stream that is the n-th oldest never had more than
  // 64 MiB / n, rounded down to a power of two: stalled at their most, the sixteen oldest hold 192 MiB and each other one 2 MiB.
  budgetBytes: 64 * 1024 * 1024,
  bytesPerMs: 600_000,
  calmMs: 1_000,
  // 20 s of silence, with the keepalive above.
  roundTripsKept: 5,
  firstPings: 3,
};

export interface TunnelLimits {
  readonly http2: Http2Limits;
  readonly window: WindowLimits;
  /** An idle tunnel was measured at 77 KB. */
  readonly tunnels: number;
  readonly tlsHandshakeTimeoutMs: number;
  /** For the control-api's word on the worker, and for the worker's answer to Hello, each. */
  readonly admissionTimeoutMs: number;
  readonly helloBytes: number;
}

export const TUNNEL_LIMITS: TunnelLimits = {
  http2: {
    streams: 512,
    streamWindowBytes: TUNNEL_WINDOW_BYTES,
    // Twice the budget of its streams, as credit goes back when half has been used.
    connectionWindowBytes: 128 * 1024 * 1024,
    sessionMemoryMb: 256,
    headerBytes: 64 * 1024,
    headerPairs: 256,
    keepalive: TUNNEL_KEEPALIVE,
  },
  window: TUNNEL_WINDOW,
  tunnels: 1_000,
  tlsHandshakeTimeoutMs: 10_000,
  admissionTimeoutMs: 10_000,
  // Names of catalogs, at most a few thousand.
  helloBytes: 1024 * 1024,
};

export interface CarryLimits {
  /** Of one result that rides with its FlightInfo. Larger ones gain nothing: their own transfer outweighs the round trip saved. */
  readonly resultBytes: number;
  /** Of all results that wait for their DoGet, those still on the way counted in full. */
  readonly totalBytes: number;
  /** Of one principal's. Whoever has more running at once has his results relayed. */
  readonly principalBytes: number;
  /** Clients fetch right after GetFlightInfo. Rows must not lie here for longer than that takes. */
  readonly ttlMs: number;
  /** From the FlightInfo to the end of what follows: a worker gives up after a tenth of a second, and the line may be long. */
  readonly tailTimeoutMs: number;
}

export const CARRY_LIMITS: CarryLimits = {
  resultBytes: 64 * 1024,
  totalBytes: 64 * 1024 * 1024,
  principalBytes: 16 * 1024 * 1024,
  ttlMs: 5_000,
  tailTimeoutMs: 2_000,
};

/** Closes on their way through one tunnel that no client waits for. Beyond it clients wait for theirs, which slows them down. */
export const CLOSES_FORWARDED_MAX = 64;

export interface CallerCacheLimits {
  readonly callers: number;
  /** A principal that is disabled or signs out elsewhere is believed for so long at most. */
  readonly verifiedTtlMs: number;
  /** Keeps a client that retries a wrong password in a loop from costing a password hash each time. */
  readonly refusedTtlMs: number;
}

export const CALLER_CACHE_LIMITS: CallerCacheLimits = { callers: 10_000, verifiedTtlMs: 30_000, refusedTtlMs: 2_000 };

export interface ControlLimits {
  /** Verifying a password takes a third of a second of CPU and may queue behind others. */
  readonly requestTimeoutMs: number;
  readonly tunnelReportIntervalMs: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
}

export const CONTROL_LIMITS: ControlLimits = {
  requestTimeoutMs: 10_000,
  // The control-api lets a worker's online state expire; two reports may be lost.
  tunnelReportIntervalMs: 10_000,
  retryMinMs: 200,
  retryMaxMs: 5_000,
};

export interface PresenceLimits {
  readonly leaseTtlMs: number;
  /** Two renewals may be lost before a lease expires. */
  readonly renewIntervalMs: number;
  /** An epoch must outlive every lease granted under it, and everything a gateway may remember of it. */
  readonly epochTtlMs: number;
  /** Redis answers in well under a millisecond, or something is wrong; a call must not hang on it. */
  readonly commandTimeoutMs: number;
}

export const PRESENCE_LIMITS: PresenceLimits = {
  leaseTtlMs: 15_000,
  renewIntervalMs: 5_000,
  epochTtlMs: 30 * 24 * 3_600_000,
  commandTimeoutMs: 2_000,
};

export interface HealthLimits {
  readonly connections: number;
  readonly requestTimeoutMs: number;
}

export const HEALTH_LIMITS: HealthLimits = { connections: 64, requestTimeoutMs: 10_000 };

/** Beyond this, setTimeout fires at once (its delay is a signed 32-bit number): a later moment needs no timer. */
export const TIMER_MAX_MS = 2_147_483_647;

/** What a last GOAWAY may take to leave before the connection is cut; a frozen peer takes nothing. */
export const CLOSE_GRACE_MS = 500;

/** How long a client may take to end a request that has been answered. */
export const REQUEST_LINGER_MS = 5_000;

/** Log lines wait for each other until there is a block of them, or for so long. A process that is killed loses that much. */
export const LOG_BLOCK_BYTES = 8 * 1024;
export const LOG_DELAY_MS = 100;
