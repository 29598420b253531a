const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Roots are replaced by a planned roll-over, not by expiry. */
export const ROOT_LIFETIME_MS = 10 * 365 * DAY_MS;
/** A stolen issuing key is worth at most this long, and the root stays offline in between. */
export const ISSUING_CA_LIFETIME_MS = 365 * DAY_MS;
/** A worker that is cut off from renewal is cut off from everything within a day. */
export const WORKER_LIFETIME_MAX_MS = DAY_MS;
/** Gateways and the control-api are reached by name and must survive a long weekend without renewal. */
export const SERVICE_LIFETIME_MAX_MS = 7 * DAY_MS;
/** Renewal is due at half of this, and must leave time for its retries. */
export const LEAF_LIFETIME_MIN_MS = MINUTE_MS;
/** Peers whose clock is this much behind still accept a new certificate. */
export const BACKDATE_MS = 5 * MINUTE_MS;

/** RFC 5280 allows 20 octets; 16 random ones cannot collide or be guessed. */
export const SERIAL_BYTES = 16;
/** Upper bound of organizationName and commonName (RFC 5280, ub-organization-name, ub-common-name). */
export const NAME_ATTRIBUTE_MAX_CHARACTERS = 64;
/** One gateway answers under a handful of names; every name makes each handshake longer. */
export const SUBJECT_NAMES_MAX = 32;
/** RFC 1035: 255 octets on the wire are 253 characters. */
export const DNS_NAME_MAX_CHARACTERS = 253;

/** A P-256 request is under 300 bytes; the rest is room for the subject and attributes that other tools add and we ignore. */
export const CSR_MAX_BYTES = 4096;
/** A leaf with SUBJECT_NAMES_MAX long names stays below this. */
export const CERTIFICATE_MAX_BYTES = 16_384;
/** A chain is leaf and issuing certificate; a bundle holds the roots of a roll-over: old, new, standby. */
export const CERTIFICATES_IN_PEM_MAX = 4;
/** Our deepest structure, an extension of a certificate, has 6 levels; a foreign CSR's attributes need a few more. */
export const DER_DEPTH_MAX = 16;

/** A sealed P-256 key is under 200 bytes. */
export const SEALED_KEY_MAX_BYTES = 1024;
/** Key, chain and roots in one JSON file. */
export const CREDENTIAL_FILE_MAX_BYTES = 262_144;

/** A peer that has not finished its handshake by then is cut; over the slowest link we know it takes under 2 s. */
export const HANDSHAKE_TIMEOUT_MS = 10 * SECOND_MS;

/** One call to the control-api, from connecting to the last byte of the answer. */
export const CONTROL_TIMEOUT_MS = 10 * SECOND_MS;
/** The largest answers are lists of gateways and certificate chains. */
export const CONTROL_REPLY_MAX_BYTES = 1_048_576;

/** With the delays below, about a minute: a control-api that starts at the same time is waited for, a wrong address is reported soon. */
export const ENROLL_ATTEMPTS_MAX = 12;
export const ENROLL_BACKOFF_BASE_MS = 200;
export const ENROLL_BACKOFF_MAX_MS = 10 * SECOND_MS;
