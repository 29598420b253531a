"""What a client that draws a tree of tables asks for."""

import time

from connect import connections

SCHEMA = "bench_metadata"


def writable_catalog(connection, target):
    """Files that are served may be read-only catalogs beside one that takes tables."""
    if target["protocol"] != "flight-sql":
        return ""
    found = connection.rows("SELECT database_name FROM duckdb_databases() WHERE NOT internal AND NOT readonly ORDER BY 1")
    return f'"{found[0][0]}".'


def make_tables(args):
    """So many tables of three columns in a schema of their own; nothing is done when they are there."""
    (connection,) = connections(args["target"], 1)
    schema = f"{writable_catalog(connection, args['target'])}{SCHEMA}."
    connection.rows(f"CREATE SCHEMA IF NOT EXISTS {schema.rstrip('.')}")
    for number in range(args["tables"]):
        connection.rows(f"CREATE TABLE IF NOT EXISTS {schema}table_{number:04} (id BIGINT, name VARCHAR(20), amount DOUBLE PRECISION)")
    return {}


def metadata(args):
    """get_objects at one depth, read to its end; answers how many tables and columns came."""
    (connection,) = connections(args["target"], 1)
    started = time.perf_counter()
    objects = connection.connection.adbc_get_objects(depth=args["depth"]).read_all().to_pylist()
    seconds = time.perf_counter() - started
    tables = columns = 0
    for catalog in objects:
        for schema in catalog["catalog_db_schemas"] or []:
            for table in schema["db_schema_tables"] or []:
                tables += 1
                columns += len(table["table_columns"] or [])
    return {"seconds": seconds, "tables": tables, "columns": columns}


OPS = {"metadata": metadata, "make_tables": make_tables}
