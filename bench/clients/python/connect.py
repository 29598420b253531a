"""One way to open a connection to any peer. Every connection can `batches(sql)`, `rows(sql)` and `close()`."""

import json
import threading

BATCH_ROWS = 65536


class FlightSql:
    """ADBC, as a Python application uses it."""

    def __init__(self, target):
        import adbc_driver_flightsql
        import adbc_driver_flightsql.dbapi as dbapi

        options = {}
        if target.get("caFile"):
            with open(target["caFile"]) as file:
                options[adbc_driver_flightsql.DatabaseOptions.TLS_ROOT_CERTS.value] = file.read()
        if target.get("username") is not None:
            options["username"] = target["username"]
            options["password"] = target.get("password", "")
        prefix = adbc_driver_flightsql.DatabaseOptions.RPC_CALL_HEADER_PREFIX.value
        for name, value in target.get("headers", {}).items():
            options[prefix + name] = value
        self.connection = dbapi.connect(target["uri"], db_kwargs=options, autocommit=True)

    def batches(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            yield from cursor.fetch_record_batch()

    def rows(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def prepared(self, sql):
        """Answers a call that runs the statement again on the handle that the server has already."""
        cursor = self.connection.cursor()

        def run(parameters=None):
            cursor.execute(sql, parameters)
            return cursor.fetchall()

        return run

    def close(self):
        self.connection.close()


class Postgres(FlightSql):
    def __init__(self, target):
        import adbc_driver_postgresql.dbapi as dbapi

        self.connection = dbapi.connect(target["uri"], autocommit=True)


class Flight:
    """pyarrow against a server that takes SQL as the ticket: one RPC."""

    def __init__(self, target):
        import pyarrow.flight as flight

        # Otherwise clients of one process that go to the same address share one TCP connection.
        options = {"generic_options": [("grpc.use_local_subchannel_pool", 1)]}
        if target.get("caFile"):
            with open(target["caFile"], "rb") as file:
                options["tls_root_certs"] = file.read()
        headers = [(name.encode(), value.encode()) for name, value in target.get("headers", {}).items()]
        self.flight = flight
        self.client = flight.FlightClient(target["uri"], **options)
        if target.get("username") is not None:
            headers.append(self.client.authenticate_basic_token(target["username"], target.get("password", "")))
        self.call_options = flight.FlightCallOptions(headers=headers)

    def ticket(self, sql):
        return self.flight.Ticket(sql.encode())

    def batches(self, sql):
        for chunk in self.client.do_get(self.ticket(sql), self.call_options):
            yield chunk.data

    def rows(self, sql):
        return self.client.do_get(self.ticket(sql), self.call_options).read_all().to_pylist()

    def close(self):
        self.client.close()


def protobuf_bytes(field, content):
    """One length-delimited field."""
    length = bytearray()
    rest = len(content)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    return bytes([field << 3 | 2]) + bytes(length) + content


STATEMENT_QUERY = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"


class FlightSqlByPyarrow(Flight):
    """The same client against a Flight SQL server, so that only the servers differ: GetFlightInfo, then DoGet."""

    def ticket(self, sql):
        command = protobuf_bytes(1, STATEMENT_QUERY) + protobuf_bytes(2, protobuf_bytes(1, sql.encode()))
        information = self.client.get_flight_info(self.flight.FlightDescriptor.for_command(command), self.call_options)
        return information.endpoints[0].ticket


class DuckDb:
    """The engine in this very process: one database for all connections, as one application has it."""

    databases = {}
    lock = threading.Lock()

    def __init__(self, target):
        import duckdb

        path = target["uri"]
        with DuckDb.lock:
            if path not in DuckDb.databases:
                DuckDb.databases[path] = duckdb.connect(path, read_only=True)
            self.connection = DuckDb.databases[path].cursor()

    def batches(self, sql):
        yield from self.connection.execute(sql).fetch_record_batch(BATCH_ROWS)

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def prepared(self, sql):
        def run(parameters=None):
            return self.connection.execute(sql, parameters).fetchall()

        return run

    def close(self):
        self.connection.close()


def connect(target, client="usual"):
    """
    A new connection; `target` is the Target of bench/src/peer.ts. `client` is "usual" for what people use with the protocol, or "pyarrow" for
    the client that plain Flight servers are measured with, too.
    """
    protocol = target["protocol"]
    if protocol == "quack":
        from connect_quack import Quack

        return Quack(target)
    if protocol == "flight-sql" and client == "pyarrow":
        return FlightSqlByPyarrow(target)
    return {"flight-sql": FlightSql, "flight": Flight, "duckdb": DuckDb, "postgres": Postgres}[protocol](target)


_open = {}


def connections(target, count, client="usual"):
    """The first `count` connections to the target, opened once and kept: for what is measured on open connections."""
    kept = _open.setdefault((json.dumps(target, sort_keys=True), client), [])
    while len(kept) < count:
        connection = connect(target, client)
        prefix = target.get("tablePrefix", "")
        # Query texts name tables barely; a server with several catalogs is told where they are.
        if prefix:
            connection.rows(f"USE {prefix.rstrip('.')}")
        kept.append(connection)
    return kept[:count]
