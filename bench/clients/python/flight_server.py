"""The least that serves DuckDB over Arrow Flight: SQL is the ticket, one RPC, nobody is asked who they are."""

import sys

import duckdb
import pyarrow.flight as flight

BATCH_ROWS = 65536


class Server(flight.FlightServerBase):
    def __init__(self, database, location, tls_certificates):
        super().__init__(location, tls_certificates=tls_certificates)
        self.database = duckdb.connect(database, read_only=True)

    def do_get(self, context, ticket):
        cursor = self.database.cursor()
        return flight.RecordBatchStream(cursor.execute(ticket.ticket.decode()).fetch_record_batch(BATCH_ROWS))


def main(database, certificate_file=None, key_file=None):
    if certificate_file is None:
        server = Server(database, "grpc://127.0.0.1:0", None)
    else:
        with open(certificate_file, "rb") as certificate, open(key_file, "rb") as key:
            server = Server(database, "grpc+tls://127.0.0.1:0", [(certificate.read(), key.read())])
    print(server.port, flush=True)
    server.serve()


main(*sys.argv[1:])
