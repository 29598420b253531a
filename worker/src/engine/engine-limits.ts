/** Rows of one record batch at most: larger batches stall the event loop for longer than 10 ms on wide rows. */
export const BATCH_MAX_ROWS = 8192;
/** A batch is sent once it holds this much, so that a wide result does not wait for 8192 rows. */
export const BATCH_TARGET_BYTES = 1024 * 1024;
/** grpc-go and grpc-js refuse messages above 4 MiB by default; 3.5 MB leaves room for headers and client arithmetic. */
export const MESSAGE_MAX_BYTES = 3_500_000;
/** One row larger than MESSAGE_MAX_BYTES travels alone; above 64 MiB no client accepts it and memory per stream is unbounded. */
export const SINGLE_ROW_MAX_BYTES = 64 * 1024 * 1024;
/**
 * What DuckDB may compute ahead of a stream's reader. It counts a string as 16 bytes whatever its length and outside of its memory limit, so its
 * default of 1 MB holds twenty chunks, which for strings of 4 KB are 170 MB a stream.
 */
export const STREAM_AHEAD_SETTING = '100KB';
/** A failure whose reason DuckDB lost (see lost-reason.ts) is looked for this often; each run loses it again in about one of a hundred. */
export const LOST_REASON_RUNS_MAX = 3;
/** Idle frame buffers kept for reuse by one engine; beyond this they are left to the garbage collector. */
export const FRAME_POOL_MAX_BYTES = 32 * 1024 * 1024;
/** Frame buffers above this size are never kept: one huge row must not pin memory for good. */
export const FRAME_POOL_MAX_BUFFER_BYTES = 4 * 1024 * 1024;
/** Frame buffers are rounded up to this so that batches of slightly different size share them. */
export const FRAME_BUFFER_STEP_BYTES = 64 * 1024;
/** A cancelled call is told again this often: DuckDB forgets an interrupt that arrives before the call has begun. */
export const INTERRUPT_REPEAT_MS = 20;
/** SQL text of one statement; DuckDB itself has no bound and parses on its own stack. */
export const SQL_MAX_BYTES = 16 * 1024 * 1024;
/**
 * Stack of one native call. koffi runs a call on a stack of its own of 128 KiB by default, and an expression nested 200 deep
 * overflows that and kills the process. 16 MiB is koffi's maximum; only touched pages cost memory.
 */
export const NATIVE_STACK_BYTES = 16 * 1024 * 1024;
/** Native stacks kept for reuse; above it a call allocates and frees its own. koffi's maximum. */
export const NATIVE_STACKS_KEPT = 32;
/** Native calls running or queued at once; koffi throws above it, so it must exceed the statements a worker admits. */
export const NATIVE_CALLS_MAX = 1024;
/** Values of one parameter upload: each becomes an object of about 100 bytes, so that 64 MiB of one-byte values would be gigabytes. */
export const PARAMETER_VALUES_MAX = 2_000_000;
/** Columns of one parameter upload; DuckDB itself allows 65535 parameters. */
export const PARAMETER_COLUMNS_MAX = 65_535;
/** Above this many columns their types are asked for on the pool: DuckDB copies all types for each, which stalls the loop on wide results. */
export const WIDE_STATEMENT_COLUMNS = 256;
