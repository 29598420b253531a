/** Every bound of the command line, each with its reason. */

/** The API sits on loopback or one network hop away and scrypt takes a second under load; longer means that nobody answers. */
export const API_TIMEOUT_MS = 30_000;
/** Answers of the API are lists of workers and tokens; 16 MB is thousands of them. */
export const API_MAX_BODY_BYTES = 16 * 1024 * 1024;

/** A first start creates the database (4 s alone, several times that on a busy machine). */
export const CHILD_READY_TIMEOUT_MS = 120_000;
/** File events report readiness at once; this is only the net for file systems that have none. */
export const READY_FILE_RECHECK_MS = 500;
/** Statements in flight get this long to end after Ctrl-C, per process; then the process is killed. */
export const CHILD_DRAIN_MS = 15_000;
/** A child whose supervisor vanished drains for this long and then ends, whatever still runs. */
export const ORPHAN_DRAIN_MS = 20_000;
/** First pause before a dead child is started again; it doubles. */
export const RESTART_FIRST_DELAY_MS = 200;
/** Waiting longer than this only prolongs an outage. */
export const RESTART_MAX_DELAY_MS = 5_000;
/** A child that dies this often in a row will not heal by itself. */
export const RESTART_MAX_FAILURES = 6;
/** A child that lived this long had recovered: its earlier deaths no longer count. */
export const RESTART_STABLE_MS = 60_000;
/** How often a child is asked whether it lives; cheap enough to be often. */
export const LIVENESS_INTERVAL_MS = 2_000;
/** A healthy process answers in milliseconds, even with both cores busy. */
export const LIVENESS_TIMEOUT_MS = 3_000;
/** Silences in a row after which a child is frozen and killed: with the interval 14 s, so that clients know within 25 s. */
export const LIVENESS_MISSES = 4;
/** npm and the shell both pass one Ctrl-C on: signals this close together are one key press. */
export const SIGNAL_REPEAT_MS = 400;
/** How long the mesh may take from the last process being ready to the first answered statement. */
export const PROBE_TIMEOUT_MS = 30_000;
/** The tunnel may come up a moment after the worker says it is ready. */
export const PROBE_RETRY_MS = 100;

/** A child's log is cut when it passes this size; a day of debugging fits. */
export const LOG_MAX_BYTES = 16 * 1024 * 1024;
/** What stays of a log that is cut. */
export const LOG_KEEP_BYTES = 1024 * 1024;
/** How often the sizes of logs are looked at. */
export const LOG_CHECK_MS = 15_000;
/** Lines of a log shown when a child fails: a stack trace fits, a screen is not flooded. */
export const LOG_TAIL_LINES = 12;
/** The most that is read from the end of a log to find those lines. */
export const LOG_TAIL_BYTES = 64 * 1024;
/** One shown log line; longer ones are cut. */
export const LOG_LINE_CHARACTERS = 240;

/** Folders below `--data` searched for a first file that can be served, and entries looked at: enough to tell a wrong path from a deep tree. */
export const SOURCE_SCAN_DEPTH = 8;
export const SOURCE_SCAN_ENTRIES = 100_000;

/** Gateway processes of one mesh. Each takes up to a core of its own, and 100 MB. */
export const GATEWAYS_MAX = 8;
/** How long a gateway that was started again leaves new clients to the others until its worker is back: workers dial again within 15 s. */
export const GATEWAY_TUNNEL_WAIT_S = 20;

/** A credential this close to its end is replaced: time enough to try again when the first attempt fails. */
export const CREDENTIAL_SPARE_MS = 15 * 60_000;
/** How often the ends of credentials are looked at; a machine that slept through a day notices this soon. */
export const CREDENTIAL_CHECK_MS = 30_000;
/** Names tried for one enrollment; each is taken for at most a week. */
export const LOCAL_NAMES_MAX = 50;

/** Writing the sample takes a third of this; with less it spills to disk and takes longer. */
export const SAMPLE_ENGINE_MEMORY_BYTES = 1024 * 1024 * 1024;

/** A batch is at most 3.5 MB from our own workers; other engines behind a worker may send up to what the gateway accepts. */
export const FLIGHT_MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** HTTP/2's own 64 KB window would halve the speed of a result. */
export const FLIGHT_WINDOW_BYTES = 4 * 1024 * 1024;
/** Calls that carry no rows must answer within this; statements themselves have no limit here. */
export const FLIGHT_CALL_TIMEOUT_MS = 30_000;
/** How long leaving the shell may wait for the gateway to forget the session. */
export const FLIGHT_CLOSE_TIMEOUT_MS = 2_000;
/** A bound for one SQL file or pipe held while its end of statement is looked for. */
export const SQL_STATEMENT_MAX_CHARACTERS = 16 * 1024 * 1024;

/** Rows whose widths decide the columns of a table: enough to be right, few enough to hold and to show the first rows soon. */
export const TABLE_SAMPLE_ROWS = 500;
/** Rows shown of one result on a terminal unless asked for more: what a person may still scroll through. */
export const TABLE_TTY_ROWS = 1_000;
/** A wider column is cut with an ellipsis; csv and json never cut. */
export const TABLE_MAX_COLUMN_WIDTH = 80;
/** A statement that runs longer than this shows that it is alive. */
export const PROGRESS_AFTER_MS = 1_000;
export const PROGRESS_EVERY_MS = 250;
/** Lines of history kept between shells. */
export const HISTORY_LINES = 2_000;
