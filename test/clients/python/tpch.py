"""TPC-H files and query texts from DuckDB's own extension, which comes as a package and is loaded by path."""

import pathlib

import duckdb
import duckdb_extension_tpch


def open_with_tpch():
    folder = pathlib.Path(duckdb_extension_tpch.__file__).parent
    extension = next(folder.rglob("tpch.duckdb_extension"))
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    return connection


def generate(step):
    """Writes the eight tables as Parquet files into `directory` at scale factor `scale`."""
    with open_with_tpch() as connection:
        connection.execute(f"CALL dbgen(sf = {float(step['scale'])})")
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        for name in names:
            connection.execute(f"COPY {name} TO '{step['directory']}/{name}.parquet' (FORMAT parquet)")
        queries = connection.execute("SELECT query_nr, query FROM tpch_queries() ORDER BY 1").fetchall()
    return {"tables": names, "queries": [{"number": number, "sql": sql} for number, sql in queries]}


def run_sql(step):
    """Runs statements in a local DuckDB; tests make their files with it."""
    with duckdb.connect(step.get("database", ":memory:")) as connection:
        for statement in step["statements"]:
            connection.execute(statement)
    return {}
