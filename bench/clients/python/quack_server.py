"""DuckDB's own remote protocol: serves one database file until it is stopped."""

import sys
import threading

import duckdb

from connect_quack import load_extensions


def main(database, port, token):
    connection = duckdb.connect(database)
    load_extensions(connection)
    connection.execute(f"CALL quack_serve('quack:127.0.0.1:{int(port)}', token = '{token}')")
    print(port, flush=True)
    threading.Event().wait()


main(*sys.argv[1:])
