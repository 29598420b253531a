"""DuckDB as the client of DuckDB: the statement travels as text and runs at the server."""

import importlib
import pathlib

BATCH_ROWS = 65536


def load_extensions(connection):
    """From the packages that pip installed: nothing is fetched while measuring."""
    for name in ("httpfs", "quack"):
        package = pathlib.Path(importlib.import_module(f"duckdb_extension_{name}").__file__).parent
        connection.execute(f"LOAD '{next(package.rglob('*.duckdb_extension'))}'")


class Quack:
    def __init__(self, target):
        import duckdb

        self.connection = duckdb.connect()
        load_extensions(self.connection)
        self.connection.execute(f"CREATE SECRET (TYPE quack, TOKEN '{target['password']}')")
        # Attached once: a statement then travels on the connection that is there.
        self.connection.execute(f"ATTACH '{target['uri']}' AS remote")

    def query(self, sql):
        text = sql.replace("'", "''")
        return self.connection.execute(f"FROM quack_query_by_name('remote', '{text}')")

    def batches(self, sql):
        yield from self.query(sql).fetch_record_batch(BATCH_ROWS)

    def rows(self, sql):
        return self.query(sql).fetchall()

    def ingest(self, table, arrow_table):
        self.connection.register("arriving", arrow_table)
        self.connection.execute(f"CREATE OR REPLACE TABLE remote.{table} AS FROM arriving")
        self.connection.execute(f"DROP TABLE remote.{table}")

    def close(self):
        self.connection.close()
