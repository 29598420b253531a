// Bounds on what a peer may make a decoder do. Decoded fields share the memory of the message, so these also bound what one message costs.

/** SQL text, plans and ticket bytes travel in one message; 16 MiB is the largest message that the common drivers send by default. */
export const REQUEST_MAX_BYTES = 16 * 1024 * 1024;

/** Uploads arrive in messages as large as the client's batches: 10 MB was seen, 64 MiB is what we promise to accept. */
export const FLIGHT_DATA_MAX_BYTES = 64 * 1024 * 1024;

/** Each field of a message may become an object of some 100 bytes, so this bounds a decoded message to tens of megabytes. */
export const MESSAGE_MAX_FIELDS = 200_000;

/** For messages that carry neither SQL text, plans, schemas nor rows. */
export const STRUCTURE_MAX_BYTES = 1024 * 1024;

/** GetSqlInfo may name every code many times over; more is not a question. */
export const SQL_INFO_REQUEST_MAX_BYTES = 16 * 1024;

/** A handle seals a command with its patterns or SQL text, and is sent back and forth in FlightInfo and Ticket: well below a message. */
export const HANDLE_MAX_BYTES = 1024 * 1024;

/** Peers commonly refuse header blocks above 8 KiB, and percent-encoding can triple a byte. */
export const GRPC_MESSAGE_MAX_BYTES = 2000;
