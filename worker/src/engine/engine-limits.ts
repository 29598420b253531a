/** Rows of one record batch at most: a narrow result is sent in fewer messages, but a client holds a whole batch before it sees its first row. */
export const BATCH_MAX_ROWS = 32_768;
/** A batch is sent once it holds this much: what a socket takes in one go, and small enough that a stream's frames add up to few megabytes. */
export const BATCH_TARGET_BYTES = 1024 * 1024;
/** Rows that wait this long are sent although more would fit: a slow query's first rows are not to wait for a full batch. */
export const BATCH_DELAY_MS = 50;
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
export const FRAME_POOL_MAX_BYTES = 16 * 1024 * 1024;
/** Frame buffers above this size are never kept: one huge row must not pin memory for good. */
export const FRAME_POOL_MAX_BUFFER_BYTES = 4 * 1024 * 1024;
/** Nor are those below: they are cheap to allocate, and lending them to a thread and back is not. */
export const FRAME_POOL_MIN_BUFFER_BYTES = 256 * 1024;
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
/** Fields of an uploaded schema, nested ones included; DuckDB itself allows 65535 parameters. */
export const UPLOADED_FIELDS_MAX = 65_535;
/** Nesting of an uploaded schema: what reads it, and DuckDB, go down by recursion. */
export const UPLOADED_DEPTH_MAX = 32;
/** Texts up to this are parsed at once instead of on the pool: that takes some ten microseconds per kilobyte, a hop to the pool thirty. */
export const SQL_PARSED_AT_ONCE_BYTES = 4096;
/** Above this many columns their types are asked for on the pool: DuckDB copies all types for each, which stalls the loop on wide results. */
export const WIDE_STATEMENT_COLUMNS = 256;

/**
 * Threads that execute, fetch and encode. Each works on one result at a time, and a long computation keeps it for as long. More than the
 * statements a worker runs at once, so that its own questions (is the engine alive?) do not wait behind sixteen slow ones.
 */
export const ENCODE_THREADS_MAX = 20;
/** Threads kept when there is nothing to do; starting one takes some 30 ms and it holds about 6 MB. */
export const ENCODE_THREADS_KEPT = 2;
/** A statement that waits this long for one of them gets a further thread. */
export const ENCODE_THREAD_START_MS = 5;
/**
 * The same once there is a thread for every core: those that many short statements would start take the cores from each other, 30 ms for their
 * start first, and memory for nothing. Behind long statements it is a delay that nobody sees.
 */
export const ENCODE_THREAD_MORE_MS = 25;
/** How long a thread beyond those waits for work before it ends. */
export const ENCODE_THREAD_IDLE_MS = 10_000;
/** Heap of one encode thread. Between two batches nothing is left in it; a batch of some thousand columns takes a few megabytes. */
export const ENCODE_THREAD_HEAP_MB = 64;
/** Short-lived objects of one encode thread: small, because every thread has its own and they are cheap to collect. */
export const ENCODE_THREAD_YOUNG_MB = 2;
/** Frames made ahead of a stream's reader: one to be sent, one that waits, one in the making. */
export const FRAMES_AHEAD = 3;
/** After this long a statement that runs is reported although none of its rows is there yet. */
export const EXECUTED_EARLY_MS = 2;

/** Descriptions of columns kept by one engine. An application repeats a few dozen statements; a description of forty columns takes some 30 KB. */
export const KNOWN_SHAPES_MAX = 128;
/** A shape longer than this, of about fifty columns, is described anew each time: few statements are so wide, and their rows cost more. */
export const KNOWN_SHAPE_CHARACTERS = 4096;

/**
 * Values of one uploaded batch, nested ones and NULLs included: a NULL column has no bytes at all, and a value costs up to 16 bytes while DuckDB
 * takes it over. Twice what a message of 64 MiB holds of the common types.
 */
export const INGEST_BATCH_VALUES_MAX = 32 * 1024 * 1024;
/** Bytes of texts and blobs of one batch once dictionaries and views are spelled out: a short message can name one long text a million times. */
export const INGEST_BATCH_BYTES_MAX = 256 * 1024 * 1024;
/** Dictionaries that one upload may keep for its next batches. */
export const INGEST_DICTIONARY_BYTES_MAX = 128 * 1024 * 1024;
/**
 * Elements that the fixed-size lists of one row have together, each list times those it is in. DuckDB allocates room for 2048 rows of them before it
 * sees one, a gigabyte at this bound, and an allocation that fails at that point ends the process.
 */
export const INGEST_FIXED_ELEMENTS_MAX = 32_768;
/** Rows taken over from Arrow at once, a whole number of DuckDB's vectors: bounds what exists twice. */
export const INGEST_SLICE_ROWS = 20 * 2048;
/** DuckDB keeps appended rows outside of its memory limit until they are flushed, by itself each 204,800 rows however long they are. */
export const INGEST_FLUSH_BYTES = 32 * 1024 * 1024;
