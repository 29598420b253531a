"""Copies TPC-H from the DuckDB file into an empty PostgreSQL by binary COPY, with the index that point lookups need."""

import sys

import adbc_driver_postgresql.dbapi as postgres
import duckdb

BATCH_ROWS = 65536


def main(database, uri):
    source = duckdb.connect(database, read_only=True)
    names = [name for (name,) in source.execute("SELECT table_name FROM duckdb_tables() WHERE table_name <> 'nested'").fetchall()]
    with postgres.connect(uri, autocommit=True) as target, target.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
            cursor.adbc_ingest(name, source.execute(f"FROM {name}").fetch_record_batch(BATCH_ROWS), mode="create")
        cursor.execute("CREATE INDEX lineitem_orderkey ON lineitem (l_orderkey)")
        cursor.execute("VACUUM ANALYZE")


main(*sys.argv[1:])
