"""One table of lineitem's kind of columns sent to the server."""

import time

import pyarrow as pa

from connect import connect

TABLE = "bench_ingest"
BATCH_ROWS = 65536


def made(rows):
    keys = pa.array(range(rows), pa.int64())
    return pa.table(
        {
            "id": keys,
            "part": pa.array([(row * 7919) % 200_000 for row in range(rows)], pa.int64()),
            "quantity": pa.array([float(row % 50) for row in range(rows)], pa.float64()),
            "price": pa.array([row * 1.25 for row in range(rows)], pa.float64()),
            "mode": pa.array([("AIR", "RAIL", "SHIP", "TRUCK")[row % 4] for row in range(rows)], pa.string()),
            "comment": pa.array([f"deposits sleep furiously {row % 1000}" for row in range(rows)], pa.string()),
        }
    )


_made = {}


def send(connection, protocol, table):
    if protocol == "quack":
        return connection.ingest(TABLE, table)
    if protocol == "duckdb":
        import duckdb

        with duckdb.connect() as own:
            own.register("arriving", table)
            own.execute(f"CREATE TABLE {TABLE} AS FROM arriving")
        return None
    if protocol == "flight":
        raise RuntimeError("not supported: the 40-line server only reads")
    with connection.connection.cursor() as cursor:
        # In pieces, as an application streams: the driver refuses to send more than 16 MB at once.
        cursor.adbc_ingest(TABLE, table.to_reader(max_chunksize=BATCH_ROWS), mode="create")
    return None


def ingest(args):
    rows = args["rows"]
    if rows not in _made:
        _made[rows] = made(rows)
    table = _made[rows]
    protocol = args["target"]["protocol"]
    connection = connect(args["target"])
    try:
        if protocol in ("flight-sql", "postgres"):
            connection.rows(f"DROP TABLE IF EXISTS {TABLE}")
        started = time.perf_counter()
        send(connection, protocol, table)
        seconds = time.perf_counter() - started
        if protocol in ("flight-sql", "postgres"):
            connection.rows(f"DROP TABLE IF EXISTS {TABLE}")
    finally:
        connection.close()
    return {"seconds": seconds, "rows": rows, "bytes": table.nbytes}


OPS = {"ingest": ingest}
