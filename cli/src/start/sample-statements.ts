import { join } from 'node:path';

/** Changes whenever the statements below do: a data directory with another version is generated again. */
export const SAMPLE_VERSION = 1;

/** Fifth of TPC-H's scale factor 1: 1.2 M line items, written in seconds. */
export const SAMPLE_SCALE = 0.2;

export interface SampleStep {
  readonly table: string;
  readonly sql: string;
}

const REGIONS = ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'];
const NATIONS: readonly (readonly [string, number])[] = [
  ['ALGERIA', 0],
  ['ARGENTINA', 1],
  ['BRAZIL', 1],
  ['CANADA', 1],
  ['EGYPT', 4],
  ['ETHIOPIA', 0],
  ['FRANCE', 3],
  ['GERMANY', 3],
  ['INDIA', 2],
  ['INDONESIA', 2],
  ['IRAN', 4],
  ['IRAQ', 4],
  ['JAPAN', 2],
  ['JORDAN', 4],
  ['KENYA', 0],
  ['MOROCCO', 0],
  ['MOZAMBIQUE', 0],
  ['PERU', 1],
  ['CHINA', 2],
  ['ROMANIA', 3],
  ['SAUDI ARABIA', 4],
  ['VIETNAM', 2],
  ['RUSSIA', 3],
  ['UNITED KINGDOM', 3],
  ['UNITED STATES', 1],
];
const COLOURS =
  'almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood chartreuse chiffon coral cornsilk cream cyan firebrick forest frosted ghost green honeydew indian ivory khaki lace lavender lemon light lime linen magenta maroon metallic midnight mint misty navy olive orange orchid pale peach peru pink plum powder puff purple red rose royal saddle salmon sandy seashell sienna sky slate snow spring steel tan thistle tomato turquoise violet wheat white yellow'.split(
    ' ',
  );
const WORDS =
  'quick final pending express regular special careful bold silent even ironic blithe furious slow unusual daring requests deposits accounts packages theodolites pinto beans foxes instructions dependencies platelets ideas sleep wake haggle nag cajole integrate detect among above across along according to the'.split(
    ' ',
  );

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const list = (values: readonly string[]): string => `[${values.map(text).join(', ')}]`;
/** One of the values, chosen by the hash of a key and a salt. */
const pick = (values: readonly string[], key: string, salt: string): string =>
  `(${list(values)})[1 + draw(${key}, ${text(salt)}, ${values.length})]`;
const decimal = (expression: string): string => `(${expression})::DECIMAL(15, 2)`;
const comment = (key: string, salt: string, words: number): string =>
  `concat_ws(' ', ${Array.from({ length: words }, (_, i) => `word(${key}, ${text(`${salt}${i}`)})`).join(', ')})`;
const phone = (key: string, nation: string): string =>
  `format('{:02d}-{:03d}-{:03d}-{:04d}', ${nation} + 10, 100 + draw(${key}, 'phone a', 900), 100 + draw(${key}, 'phone b', 900), 1000 + draw(${key}, 'phone c', 9000))`;

/** Shared by all tables: everything is drawn from a hash of the row's key, so every run on every machine writes the same rows. */
const PREPARE = [
  'CREATE MACRO draw(key, salt, choices) AS (hash(key::BIGINT, salt) % choices::UBIGINT)::BIGINT',
  `CREATE MACRO word(key, salt) AS (${list(WORDS)})[1 + draw(key, salt, ${WORDS.length})]`,
  'CREATE MACRO retail_price(key) AS (90000 + (key // 10) % 20001 + 100 * (key % 1000))::DECIMAL(15, 2) / 100',
];

/** The steps, in order; each writes `<directory>/<table>.parquet` with the columns and value ranges of TPC-H. */
export function sampleSteps(directory: string, scale: number): readonly SampleStep[] {
  const suppliers = count(10_000, scale);
  const parts = count(200_000, scale);
  const customers = count(150_000, scale);
  const orders = count(1_500_000, scale);
  const file = (table: string): string => text(join(directory, `${table}.parquet`));
  const write = (table: string, select: string): SampleStep => ({
    table,
    sql: `COPY (${select}) TO ${file(table)} (FORMAT parquet, COMPRESSION zstd)`,
  });
  return [
    ...PREPARE.map((sql) => ({ table: '', sql })),
    write('region', region()),
    write('nation', nation()),
    write('supplier', supplier(suppliers)),
    write('customer', customer(customers)),
    write('part', part(parts)),
    write('partsupp', partsupp(parts, suppliers)),
    { table: '', sql: orderKeys(orders, customers) },
    write('lineitem', lineitem(parts, suppliers)),
    write('orders', ordersOf(file('lineitem'), count(1_000, scale))),
  ];
}

function count(atScaleOne: number, scale: number): number {
  return Math.max(10, Math.round(atScaleOne * scale));
}

function region(): string {
  return `SELECT i::INTEGER AS r_regionkey, (${list(REGIONS)})[i + 1] AS r_name, ${comment('i', 'region', 6)} AS r_comment FROM range(${REGIONS.length}) t(i)`;
}

function nation(): string {
  return `SELECT i::INTEGER AS n_nationkey, (${list(NATIONS.map(([name]) => name))})[i + 1] AS n_name,
    ([${NATIONS.map(([, key]) => key).join(', ')}])[i + 1]::INTEGER AS n_regionkey, ${comment('i', 'nation', 6)} AS n_comment FROM range(${NATIONS.length}) t(i)`;
}

function supplier(rows: number): string {
  return `SELECT i AS s_suppkey, format('Supplier#{:09d}', i) AS s_name, ${comment('i', 's address', 2)} AS s_address, draw(i, 's nation', 25)::INTEGER AS s_nationkey,
    ${phone('i', "draw(i, 's nation', 25)")} AS s_phone, ${decimal("(draw(i, 's balance', 1099999) - 99999) / 100")} AS s_acctbal,
    CASE draw(i, 's remark', 200) WHEN 0 THEN 'Customer slow Complaints ' WHEN 1 THEN 'Customer quick Recommends ' ELSE '' END || ${comment('i', 's comment', 6)} AS s_comment
    FROM range(1, ${rows} + 1) t(i)`;
}

function customer(rows: number): string {
  return `SELECT i AS c_custkey, format('Customer#{:09d}', i) AS c_name, ${comment('i', 'c address', 2)} AS c_address, draw(i, 'c nation', 25)::INTEGER AS c_nationkey,
    ${phone('i', "draw(i, 'c nation', 25)")} AS c_phone, ${decimal("(draw(i, 'c balance', 1099999) - 99999) / 100")} AS c_acctbal,
    ${pick(['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'HOUSEHOLD', 'MACHINERY'], 'i', 'c segment')} AS c_mktsegment, ${comment('i', 'c comment', 8)} AS c_comment
    FROM range(1, ${rows} + 1) t(i)`;
}

function part(rows: number): string {
  const container = `${pick(['SM', 'LG', 'MED', 'JUMBO', 'WRAP'], 'i', 'container size')} || ' ' || ${pick(['CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM'], 'i', 'container')}`;
  const kind = [
    pick(['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'], 'i', 'type a'),
    pick(['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'], 'i', 'type b'),
    pick(['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'], 'i', 'type c'),
  ];
  return `SELECT i AS p_partkey, concat_ws(' ', ${[1, 2, 3, 4, 5].map((n) => pick(COLOURS, 'i', `colour ${n}`)).join(', ')}) AS p_name,
    format('Manufacturer#{}', 1 + draw(i, 'maker', 5)) AS p_mfgr, format('Brand#{}{}', 1 + draw(i, 'maker', 5), 1 + draw(i, 'brand', 5)) AS p_brand,
    concat_ws(' ', ${kind.join(', ')}) AS p_type, (1 + draw(i, 'size', 50))::INTEGER AS p_size, ${container} AS p_container,
    ${decimal('retail_price(i)')} AS p_retailprice, ${comment('i', 'p comment', 3)} AS p_comment FROM range(1, ${rows} + 1) t(i)`;
}

/** The n-th of a part's four suppliers, by the formula of TPC-H 4.2.3. */
function supplierOf(partKey: string, n: string, suppliers: number): string {
  return `(${partKey} + ${n} * (${suppliers} // 4 + (${partKey} - 1) // ${suppliers})) % ${suppliers} + 1`;
}

function partsupp(parts: number, suppliers: number): string {
  return `SELECT p AS ps_partkey, ${supplierOf('p', 'n', suppliers)} AS ps_suppkey, (1 + draw(p * 4 + n, 'quantity', 9999))::INTEGER AS ps_availqty,
    ${decimal("(100 + draw(p * 4 + n, 'cost', 99901)) / 100")} AS ps_supplycost, ${comment('p * 4 + n', 'ps comment', 10)} AS ps_comment
    FROM range(1, ${parts} + 1) t(p), range(4) s(n)`;
}

/** Keys are sparse (8 used of every 32) and every third customer never ordered, as in TPC-H. */
function orderKeys(orders: number, customers: number): string {
  return `CREATE TEMP TABLE order_key AS SELECT (i // 8) * 32 + i % 8 + 1 AS k, (DATE '1992-01-01' + draw(i, 'date', 2406)::INTEGER)::DATE AS ordered,
    draw(i, 'customer', ${customers} // 3) * 3 + 1 + draw(i, 'customer rest', 2) AS customer, 1 + draw(i, 'lines', 7) AS lines FROM range(${orders}) t(i)`;
}

function lineitem(parts: number, suppliers: number): string {
  return `WITH line AS (SELECT k, ordered, n, k * 8 + n AS id FROM order_key, unnest(range(1, lines + 1)) u(n)),
    drawn AS (SELECT *, 1 + draw(id, 'part', ${parts}) AS part, 1 + draw(id, 'quantity', 50) AS quantity, (ordered + (1 + draw(id, 'ship', 121))::INTEGER)::DATE AS shipped FROM line),
    dated AS (SELECT *, (shipped + (1 + draw(id, 'receipt', 30))::INTEGER)::DATE AS received FROM drawn)
    SELECT k AS l_orderkey, part AS l_partkey, ${supplierOf('part', "draw(id, 'supplier', 4)", suppliers)} AS l_suppkey, n::INTEGER AS l_linenumber,
    ${decimal('quantity')} AS l_quantity, ${decimal('quantity * retail_price(part)')} AS l_extendedprice, ${decimal("draw(id, 'discount', 11) / 100")} AS l_discount,
    ${decimal("draw(id, 'tax', 9) / 100")} AS l_tax, CASE WHEN received > DATE '1995-06-17' THEN 'N' ELSE ${pick(['R', 'A'], 'id', 'return')} END AS l_returnflag,
    CASE WHEN shipped > DATE '1995-06-17' THEN 'O' ELSE 'F' END AS l_linestatus, shipped AS l_shipdate, (ordered + (30 + draw(id, 'commit', 61))::INTEGER)::DATE AS l_commitdate,
    received AS l_receiptdate, ${pick(['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'], 'id', 'instruct')} AS l_shipinstruct,
    ${pick(['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'], 'id', 'mode')} AS l_shipmode, ${comment('id', 'l comment', 4)} AS l_comment FROM dated ORDER BY k, n`;
}

function ordersOf(lineitemFile: string, clerks: number): string {
  return `WITH total AS (SELECT l_orderkey, sum(l_extendedprice * (1 + l_tax) * (1 - l_discount)) AS price, min(l_linestatus) AS least, max(l_linestatus) AS most
    FROM read_parquet(${lineitemFile}) GROUP BY l_orderkey)
    SELECT k AS o_orderkey, customer AS o_custkey, CASE WHEN least = most THEN least ELSE 'P' END AS o_orderstatus, ${decimal('price')} AS o_totalprice, ordered AS o_orderdate,
    ${pick(['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'], 'k', 'priority')} AS o_orderpriority, format('Clerk#{:09d}', 1 + draw(k, 'clerk', ${clerks})) AS o_clerk,
    0::INTEGER AS o_shippriority, CASE draw(k, 'o remark', 100) WHEN 0 THEN 'special packages requests ' ELSE '' END || ${comment('k', 'o comment', 5)} AS o_comment
    FROM order_key JOIN total ON l_orderkey = k ORDER BY k`;
}
