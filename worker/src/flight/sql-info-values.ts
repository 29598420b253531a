import { JETBRIDGE_VERSION } from '@jetbridge/proto/version';

/** One answer of GetSqlInfo, in the union child that clients read it from (clients.md rule 9). */
export type SqlInfoValue =
  | { readonly child: 'string'; readonly value: string }
  | { readonly child: 'bool'; readonly value: boolean }
  | { readonly child: 'bigint'; readonly value: bigint }
  | { readonly child: 'bitmask'; readonly value: number }
  | { readonly child: 'list'; readonly value: readonly string[] }
  | { readonly child: 'map'; readonly value: ReadonlyMap<number, readonly number[]> };

const text = (value: string): SqlInfoValue => ({ child: 'string', value });
const yes: SqlInfoValue = { child: 'bool', value: true };
const no: SqlInfoValue = { child: 'bool', value: false };
const bits = (value: number): SqlInfoValue => ({ child: 'bitmask', value });
const bitsOf = (...positions: readonly number[]): SqlInfoValue => bits(positions.reduce((mask, position) => mask | (1 << position), 0));
const list = (words: string): SqlInfoValue => ({ child: 'list', value: words.split(' ') });
const limit = (value: bigint): SqlInfoValue => ({ child: 'bigint', value });
/** JDBC's word for "no limit, or none known". */
const UNLIMITED = limit(0n);

const NUMERIC_FUNCTIONS =
  'ABS ACOS ASIN ATAN ATAN2 CEIL CEILING COS COT DEGREES EXP FLOOR GREATEST LEAST LN LOG LOG10 LOG2 MOD PI POW POWER RADIANS RANDOM ROUND SIGN SIN SQRT TAN TRUNC';
const STRING_FUNCTIONS =
  'ASCII CHR CONCAT CONTAINS FORMAT INSTR LCASE LEFT LENGTH LOWER LPAD LTRIM MD5 REPEAT REPLACE REVERSE RIGHT RPAD RTRIM STRPOS SUBSTRING TRANSLATE TRIM UCASE UPPER';
const SYSTEM_FUNCTIONS = 'CURRENT_CATALOG CURRENT_DATABASE CURRENT_SCHEMA CURRENT_SETTING VERSION';
const DATETIME_FUNCTIONS =
  'AGE DATEDIFF DATE_DIFF DATE_PART DATE_TRUNC DAY DAYNAME DAYOFMONTH DAYOFWEEK DAYOFYEAR EPOCH HOUR LAST_DAY MAKE_DATE MAKE_TIMESTAMP MINUTE MONTH MONTHNAME NOW QUARTER SECOND STRFTIME STRPTIME WEEK YEAR';
// Reserved in DuckDB and not in SQL:2003, which is what JDBC asks for.
const KEYWORDS =
  'ANALYSE ANALYZE ASC DEFERRABLE DESC DESCRIBE DO INITIALLY LAMBDA LIMIT OFFSET PIVOT PIVOT_LONGER PIVOT_WIDER PLACING QUALIFY RETURNING SHOW SUMMARIZE UNPIVOT VARIADIC';

// SqlSupportsConvert's type numbers.
const [BIGINT, BINARY, BIT, CHAR, DATE, DECIMAL, FLOAT, INTEGER] = [0, 1, 2, 3, 4, 5, 6, 7];
const [LONGVARCHAR, NUMERIC, REAL, SMALLINT, TIME, TIMESTAMP, TINYINT, VARBINARY, VARCHAR] = [11, 12, 13, 14, 15, 16, 17, 18, 19];
const TEXTS = [CHAR, VARCHAR, LONGVARCHAR];
const NUMBERS = [BIGINT, BIT, DECIMAL, FLOAT, INTEGER, NUMERIC, REAL, SMALLINT, TINYINT];
const CONVERSIONS: ReadonlyMap<number, readonly number[]> = new Map([
  ...NUMBERS.map((type) => [type, [...NUMBERS, ...TEXTS]] as const),
  ...TEXTS.map((type) => [type, [...NUMBERS, ...TEXTS, DATE, TIME, TIMESTAMP, BINARY, VARBINARY]] as const),
  ...[BINARY, VARBINARY].map((type) => [type, [BINARY, VARBINARY, ...TEXTS]] as const),
  [DATE, [DATE, TIMESTAMP, ...TEXTS]] as const,
  [TIME, [TIME, ...TEXTS]] as const,
  [TIMESTAMP, [TIMESTAMP, DATE, TIME, ...TEXTS]] as const,
]);

/** Every code of the SqlInfo enum, with the value that is true of this worker and its DuckDB. */
export const SQL_INFO_VALUES: ReadonlyMap<number, SqlInfoValue> = new Map<number, SqlInfoValue>([
  [0, text('Jetbridge')], // FLIGHT_SQL_SERVER_NAME
  [1, text(JETBRIDGE_VERSION)], // FLIGHT_SQL_SERVER_VERSION
  [2, text('1.5.0')], // FLIGHT_SQL_SERVER_ARROW_VERSION: the columnar format's
  [3, no], // FLIGHT_SQL_SERVER_READ_ONLY
  [4, yes], // FLIGHT_SQL_SERVER_SQL
  [5, no], // FLIGHT_SQL_SERVER_SUBSTRAIT
  [6, text('')], // FLIGHT_SQL_SERVER_SUBSTRAIT_MIN_VERSION
  [7, text('')], // FLIGHT_SQL_SERVER_SUBSTRAIT_MAX_VERSION
  [8, bits(1)], // FLIGHT_SQL_SERVER_TRANSACTION: TRANSACTION, no savepoints
  [9, yes], // FLIGHT_SQL_SERVER_CANCEL
  [10, yes], // FLIGHT_SQL_SERVER_BULK_INGESTION
  [11, yes], // FLIGHT_SQL_SERVER_INGEST_TRANSACTIONS_SUPPORTED
  [100, bits(0)], // FLIGHT_SQL_SERVER_STATEMENT_TIMEOUT: none
  [101, bits(0)], // FLIGHT_SQL_SERVER_TRANSACTION_TIMEOUT: none
  [500, no], // SQL_DDL_CATALOG
  [501, yes], // SQL_DDL_SCHEMA
  [502, yes], // SQL_DDL_TABLE
  [503, bits(1)], // SQL_IDENTIFIER_CASE: case insensitive
  [504, text('"')], // SQL_IDENTIFIER_QUOTE_CHAR
  [505, bits(1)], // SQL_QUOTED_IDENTIFIER_CASE: case insensitive
  [506, yes], // SQL_ALL_TABLES_ARE_SELECTABLE
  [507, bits(3)], // SQL_NULL_ORDERING: at the end
  [508, list(KEYWORDS)], // SQL_KEYWORDS
  [509, list(NUMERIC_FUNCTIONS)], // SQL_NUMERIC_FUNCTIONS
  [510, list(STRING_FUNCTIONS)], // SQL_STRING_FUNCTIONS
  [511, list(SYSTEM_FUNCTIONS)], // SQL_SYSTEM_FUNCTIONS
  [512, list(DATETIME_FUNCTIONS)], // SQL_DATETIME_FUNCTIONS
  [513, text('\\')], // SQL_SEARCH_STRING_ESCAPE
  [514, text('')], // SQL_EXTRA_NAME_CHARACTERS
  [515, yes], // SQL_SUPPORTS_COLUMN_ALIASING
  [516, yes], // SQL_NULL_PLUS_NULL_IS_NULL
  [517, { child: 'map', value: CONVERSIONS }], // SQL_SUPPORTS_CONVERT
  [518, yes], // SQL_SUPPORTS_TABLE_CORRELATION_NAMES
  [519, no], // SQL_SUPPORTS_DIFFERENT_TABLE_CORRELATION_NAMES: they need not differ
  [520, yes], // SQL_SUPPORTS_EXPRESSIONS_IN_ORDER_BY
  [521, yes], // SQL_SUPPORTS_ORDER_BY_UNRELATED
  [522, bitsOf(0, 1)], // SQL_SUPPORTED_GROUP_BY: unrelated, beyond select
  [523, yes], // SQL_SUPPORTS_LIKE_ESCAPE_CLAUSE
  [524, yes], // SQL_SUPPORTS_NON_NULLABLE_COLUMNS
  [525, bitsOf(0, 1, 2)], // SQL_SUPPORTED_GRAMMAR: minimum, core, extended
  [526, bitsOf(0)], // SQL_ANSI92_SUPPORTED_LEVEL: entry
  [527, yes], // SQL_SUPPORTS_INTEGRITY_ENHANCEMENT_FACILITY
  [528, bitsOf(1, 2)], // SQL_OUTER_JOINS_SUPPORT_LEVEL: limited, full
  [529, text('schema')], // SQL_SCHEMA_TERM
  [530, text('macro')], // SQL_PROCEDURE_TERM
  [531, text('catalog')], // SQL_CATALOG_TERM
  [532, yes], // SQL_CATALOG_AT_START
  [533, bitsOf(1)], // SQL_SCHEMAS_SUPPORTED_ACTIONS: in index definitions
  [534, bitsOf(1)], // SQL_CATALOGS_SUPPORTED_ACTIONS: in index definitions
  [535, bits(0)], // SQL_SUPPORTED_POSITIONED_COMMANDS
  [536, no], // SQL_SELECT_FOR_UPDATE_SUPPORTED
  [537, no], // SQL_STORED_PROCEDURES_SUPPORTED
  [538, bitsOf(0, 1, 2, 3)], // SQL_SUPPORTED_SUBQUERIES: comparisons, EXISTS, IN, quantified
  [539, yes], // SQL_CORRELATED_SUBQUERIES_SUPPORTED
  [540, bitsOf(0, 1)], // SQL_SUPPORTED_UNIONS: UNION, UNION ALL
  [541, UNLIMITED], // SQL_MAX_BINARY_LITERAL_LENGTH
  [542, UNLIMITED], // SQL_MAX_CHAR_LITERAL_LENGTH
  [543, UNLIMITED], // SQL_MAX_COLUMN_NAME_LENGTH
  [544, UNLIMITED], // SQL_MAX_COLUMNS_IN_GROUP_BY
  [545, UNLIMITED], // SQL_MAX_COLUMNS_IN_INDEX
  [546, UNLIMITED], // SQL_MAX_COLUMNS_IN_ORDER_BY
  [547, UNLIMITED], // SQL_MAX_COLUMNS_IN_SELECT
  [548, UNLIMITED], // SQL_MAX_COLUMNS_IN_TABLE
  [549, UNLIMITED], // SQL_MAX_CONNECTIONS
  [550, UNLIMITED], // SQL_MAX_CURSOR_NAME_LENGTH
  [551, UNLIMITED], // SQL_MAX_INDEX_LENGTH
  [552, UNLIMITED], // SQL_DB_SCHEMA_NAME_LENGTH
  [553, UNLIMITED], // SQL_MAX_PROCEDURE_NAME_LENGTH
  [554, UNLIMITED], // SQL_MAX_CATALOG_NAME_LENGTH
  [555, UNLIMITED], // SQL_MAX_ROW_SIZE
  [556, yes], // SQL_MAX_ROW_SIZE_INCLUDES_BLOBS
  [557, limit(4n * 1024n * 1024n)], // SQL_MAX_STATEMENT_LENGTH: limits.ts, SQL_BYTES_MAX
  [558, UNLIMITED], // SQL_MAX_STATEMENTS
  [559, UNLIMITED], // SQL_MAX_TABLE_NAME_LENGTH
  [560, UNLIMITED], // SQL_MAX_TABLES_IN_SELECT
  [561, UNLIMITED], // SQL_MAX_USERNAME_LENGTH
  [562, limit(3n)], // SQL_DEFAULT_TRANSACTION_ISOLATION: repeatable read, the nearest to DuckDB's snapshots
  [563, yes], // SQL_TRANSACTIONS_SUPPORTED: BEGIN, COMMIT and ROLLBACK as statements
  [564, bitsOf(3)], // SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS: repeatable read
  [565, no], // SQL_DATA_DEFINITION_CAUSES_TRANSACTION_COMMIT
  [566, no], // SQL_DATA_DEFINITIONS_IN_TRANSACTIONS_IGNORED
  [567, bitsOf(1)], // SQL_SUPPORTED_RESULT_SET_TYPES: forward only
  [568, bits(0)], // SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_UNSPECIFIED
  [569, bitsOf(1)], // SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_FORWARD_ONLY: read only
  [570, bits(0)], // SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_SENSITIVE
  [571, bits(0)], // SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_INSENSITIVE
  [572, yes], // SQL_BATCH_UPDATES_SUPPORTED
  [573, no], // SQL_SAVEPOINTS_SUPPORTED
  [574, no], // SQL_NAMED_PARAMETERS_SUPPORTED: JDBC means callable statements
  [575, no], // SQL_LOCATORS_UPDATE_COPY
  [576, no], // SQL_STORED_FUNCTIONS_USING_CALL_SYNTAX_SUPPORTED
]);
