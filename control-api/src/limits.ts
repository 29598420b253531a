/** Every bound of the control-api, with its reason. Sizes in bytes, times in milliseconds. */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

// --- HTTP ---------------------------------------------------------------------------------------------------------

/** The largest honest body is an enrollment token with its host names (about 20 KB). */
export const MAX_BODY_BYTES = 64 * 1024;
/** A token (150 bytes) and a P-256 CSR (under 2 KB) fit several times. */
export const MAX_ENROLL_BODY_BYTES = 8 * 1024;
/** A full snapshot of `MAX_TUNNELS_PER_GATEWAY` tunnels; read only after the gateway's certificate was checked. */
export const MAX_TUNNELS_BODY_BYTES = 4 * 1024 * 1024;
/** A client that trickles a request is cut here, so it cannot hold a socket. */
export const REQUEST_TIMEOUT_MS = 30 * SECOND_MS;
/** Longer than the gateways' 10 s report interval, so their connection stays open between reports. */
export const KEEP_ALIVE_TIMEOUT_MS = 30 * SECOND_MS;
/** Open sockets: each costs about 50 KB with TLS. */
export const MAX_SOCKETS = 4096;
/** On stop, requests under way get this long; a password check is the slowest and takes under 2 s. */
export const DRAIN_TIMEOUT_MS = 5 * SECOND_MS;
/** Requests per address and minute on the API; the UI makes about one per second. mTLS peers are not counted. */
export const REQUESTS_PER_ADDRESS_PER_MINUTE = 1200;
/** Addresses remembered by one rate limiter: about 200 bytes each; the oldest is forgotten first. */
export const MAX_RATE_LIMIT_KEYS = 10_000;
/** Rows of one list page: a page of the largest rows stays below 1 MB. */
export const MAX_PAGE_ROWS = 500;
export const DEFAULT_PAGE_ROWS = 100;

// --- passwords and access tokens ----------------------------------------------------------------------------------

/** scrypt with these takes 128 MB and about 0.3 s (OWASP's first choice for scrypt). */
export const PASSWORD_COST = { log2N: 17, blockSize: 8, parallelization: 1 } as const;
/** Two at once keep memory for password checks at 256 MB. */
export const MAX_PASSWORD_CHECKS = 2;
/** The last of the queue waits about 5 s, which clients' sign-in timeouts allow. */
export const MAX_QUEUED_PASSWORD_CHECKS = 32;
export const MIN_PASSWORD_CHARACTERS = 12;
/** scrypt first hashes the password, so length costs nothing; this only bounds what is read. */
export const MAX_PASSWORD_CHARACTERS = 512;
/** One name from one address: far above a person who mistypes, far below guessing. Right passwords are given back. */
export const SIGN_INS_PER_NAME_AND_ADDRESS = { max: 10, windowMs: MINUTE_MS } as const;
/** All names and addresses together: what two checks at once can serve. Right passwords are given back. */
export const SIGN_INS_IN_ALL = { max: 300, windowMs: MINUTE_MS } as const;
export const SESSION_TTL_MS = 12 * HOUR_MS;
export const DEFAULT_ACCESS_TOKEN_TTL_MS = 90 * DAY_MS;
export const MAX_ACCESS_TOKEN_TTL_MS = 366 * DAY_MS;
/** Named tokens of one principal: more is a program that forgets its tokens. */
export const MAX_NAMED_TOKENS_PER_PRINCIPAL = 200;
/** Sessions of one principal; the one unused for longest makes room, so a client that never signs out cannot fill the table. */
export const MAX_SESSIONS_PER_PRINCIPAL = 10_000;
/** `last used` is good to this, so a busy token costs one write in five minutes. */
export const LAST_USED_GRAIN_MS = 5 * MINUTE_MS;
/** Tokens stay listed this long after their end, then the principal's next sign-in deletes them. */
export const ENDED_TOKEN_RETENTION_MS = 30 * DAY_MS;
/** What a gateway may believe when a password was shown: it asks again after this. */
export const PASSWORD_BELIEF_MS = 5 * MINUTE_MS;

// --- enrollment ---------------------------------------------------------------------------------------------------

export const DEFAULT_ENROLLMENT_TTL_MS = HOUR_MS;
/** Time enough to ship a prepared machine; a token is a secret that lies around. */
export const MAX_ENROLLMENT_TTL_MS = 7 * DAY_MS;
/** Tokens not yet used; creating them is for admins only, so this bounds a script gone wild. */
export const MAX_OPEN_ENROLLMENT_TOKENS = 10_000;
/** One address may bring up a rack of workers behind one NAT in a minute. */
export const ENROLLMENTS_PER_ADDRESS = { max: 120, windowMs: MINUTE_MS } as const;
/** All addresses together: each refusal costs one audit row. */
export const ENROLLMENTS_IN_ALL = { max: 600, windowMs: MINUTE_MS } as const;
/** The same token with the same key gets the same answer again: a reply may be lost, and the process may retry. */
export const ENROLLMENT_REPLAY_MS = 10 * MINUTE_MS;
export const WORKER_CREDENTIAL_MS = DAY_MS;
export const SERVICE_CREDENTIAL_MS = 7 * DAY_MS;
export const MAX_LABELS = 32;
export const MAX_LABEL_CHARACTERS = 256;
export const MAX_HOST_NAMES = 32;

// --- gateways and workers -----------------------------------------------------------------------------------------

/** Two and a half report intervals of 10 s: one lost report changes nothing, a dead gateway is seen within 25 s. */
export const PRESENCE_TTL_MS = 25 * SECOND_MS;
export const MAX_TUNNELS_PER_GATEWAY = 10_000;
export const MAX_CATALOGS_PER_TUNNEL = 1000;
/** Gateways told to a worker: it keeps a tunnel to each. */
export const MAX_GATEWAY_ADDRESSES = 64;

// --- database -----------------------------------------------------------------------------------------------------

/** Connections to Postgres; the API's transactions take single milliseconds. */
export const MAX_DATABASE_CONNECTIONS = 10;
/** A request that waits longer for a connection is answered 503: the database is stuck or overloaded. */
export const DATABASE_ACQUIRE_TIMEOUT_MS = 10 * SECOND_MS;
/** Far above any statement here; a lock that is never released ends in an error instead of a full pool. */
export const DATABASE_STATEMENT_TIMEOUT_MS = 30 * SECOND_MS;
/** Requests waiting for the one connection of the embedded database. */
export const MAX_DATABASE_WAITERS = 1000;
/** The first creation takes 3 s on an idle machine; a loaded one gets time. */
export const DATABASE_OPEN_TIMEOUT_MS = 60 * SECOND_MS;
/** PGlite's default of 128 MB is resident; the whole database is smaller than this for thousands of workers. */
export const EMBEDDED_SHARED_BUFFERS = '8MB';
