"""Makes the bench's data: TPC-H at scale factor 1 as one DuckDB file, as Parquet, and the query texts."""

import json
import pathlib
import sys

import duckdb
import duckdb_extension_tpch

SCALE = 1


def main(directory):
    target = pathlib.Path(directory)
    parquet = target / "parquet"
    parquet.mkdir(parents=True, exist_ok=True)
    database = target / "tpch.duckdb"
    database.unlink(missing_ok=True)
    extension = next(pathlib.Path(duckdb_extension_tpch.__file__).parent.rglob("tpch.duckdb_extension"))
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"LOAD '{extension}'")
        connection.execute(f"CALL dbgen(sf = {SCALE})")
        # Point lookups and nested rows: made once, so that no timed section pays for them.
        connection.execute(
            "CREATE TABLE nested AS SELECT l_orderkey AS id, list(l_partkey) AS parts, "
            "list({'line': l_linenumber, 'price': l_extendedprice, 'mode': l_shipmode}) AS lines, "
            "{'first': min(l_shipdate), 'last': max(l_shipdate)} AS shipped FROM lineitem WHERE l_orderkey < 4000000 GROUP BY l_orderkey ORDER BY 1"
        )
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        for name in names:
            connection.execute(f"COPY {name} TO '{parquet}/{name}.parquet' (FORMAT parquet)")
        queries = connection.execute("SELECT query_nr, query FROM tpch_queries() ORDER BY 1").fetchall()
    (target / "queries.json").write_text(json.dumps([{"number": number, "sql": sql} for number, sql in queries]))


main(sys.argv[1])
