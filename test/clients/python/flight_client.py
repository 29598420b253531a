"""Steps run through pyarrow.flight alone: the Flight SQL messages are written here by hand, as in a raw client."""

import pyarrow
import pyarrow.flight as flight

import flight_messages as messages
from protocol import RowSink
from statuscode import code_in

CLASSES = [
    (flight.FlightUnavailableError, "unavailable"),
    (flight.FlightUnauthenticatedError, "unauthenticated"),
    (flight.FlightUnauthorizedError, "permission_denied"),
    (flight.FlightTimedOutError, "deadline_exceeded"),
    (flight.FlightCancelledError, "cancelled"),
    (flight.FlightInternalError, "internal"),
    (pyarrow.ArrowKeyError, "not_found"),
    (pyarrow.ArrowNotImplementedError, "unimplemented"),
    (pyarrow.ArrowCancelled, "cancelled"),
    (pyarrow.ArrowInvalid, "invalid_argument"),
]


class Connection:
    def __init__(self, client, options):
        self.client = client
        self.options = options

    def close(self):
        self.client.close()


def connect(job):
    options = {}
    if job.get("caFile"):
        with open(job["caFile"], "rb") as file:
            options["tls_root_certs"] = file.read()
    client = flight.FlightClient(job["uri"], **options)
    headers = [(name.encode(), value.encode()) for name, value in job.get("headers", {}).items()]
    if job.get("user") is not None:
        headers.append(client.authenticate_basic_token(job["user"], job["password"]))
    if job.get("bearer"):
        headers.append((b"authorization", b"Bearer " + job["bearer"].encode()))
    return Connection(client, flight.FlightCallOptions(headers=headers, timeout=job.get("timeoutS")))


def describe(error):
    text = str(error)
    found = code_in(text)
    if found is None:
        found = next((code for kind, code in CLASSES if isinstance(error, kind)), None)
    return {"code": found or "unknown", "message": text, "driverCode": type(error).__name__}


def read_command(connection, command, sink, read="all"):
    """Reads every endpoint of a command and checks that FlightInfo and DoGet agree on the schema."""
    described = connection.client.get_flight_info(flight.FlightDescriptor.for_command(command), connection.options)
    outcome = sink.outcome(described.schema)
    if read == "none":
        return outcome
    for endpoint in described.endpoints:
        reader = connection.client.do_get(endpoint.ticket, connection.options)
        if not reader.schema.equals(described.schema):
            raise AssertionError(f"DoGet answers {reader.schema}, FlightInfo said {described.schema}")
        for chunk in reader:
            sink.take(chunk.data)
            if read == "first":
                reader.cancel()
                break
    outcome = sink.outcome(described.schema)
    outcome["endpoints"] = len(described.endpoints)
    return outcome


def query(connection, step, sink):
    if "parameters" in step:
        return prepared_query(connection, step, sink)
    return read_command(connection, messages.statement_query(step["sql"]), sink, step.get("read", "all"))


def prepared_query(connection, step, sink):
    request = messages.create_prepared_statement(step["sql"])
    answer = next(iter(connection.client.do_action(("CreatePreparedStatement", request), connection.options)))
    prepared = messages.prepared_statement(answer.body.to_pybytes())
    handle = prepared["handle"]
    command = messages.prepared_statement_query(handle)
    descriptor = flight.FlightDescriptor.for_command(command)
    schema = pyarrow.ipc.read_schema(pyarrow.py_buffer(prepared["parameterSchema"]))
    row = dict(zip(schema.names, step["parameters"]))
    batch = pyarrow.RecordBatch.from_arrays(
        [pyarrow.array([row[field.name]], type=field.type) for field in schema], schema=schema
    )
    writer, reader = connection.client.do_put(descriptor, schema, connection.options)
    with writer:
        writer.write_batch(batch)
        writer.done_writing()
        answered = reader.read()
    if answered is not None and len(answered):
        handle = messages.bound_handle(answered.to_pybytes()) or handle
        command = messages.prepared_statement_query(handle)
    try:
        return read_command(connection, command, sink)
    finally:
        close = messages.close_prepared_statement(handle)
        list(connection.client.do_action(("ClosePreparedStatement", close), connection.options))


def update(connection, step):
    descriptor = flight.FlightDescriptor.for_command(messages.statement_update(step["sql"]))
    writer, reader = connection.client.do_put(descriptor, pyarrow.schema([]), connection.options)
    with writer:
        writer.done_writing()
        answered = reader.read()
    return {"updated": messages.update_count(answered.to_pybytes())}


def metadata(connection, job, step):
    command = messages.METADATA[step["command"]](step)
    sink = RowSink(job["id"], step)
    return read_command(connection, command, sink)


def action(connection, step):
    body = bytes.fromhex(step.get("bodyHex", ""))
    answers = list(connection.client.do_action((step["type"], body), connection.options))
    return {"answers": [answer.body.to_pybytes().hex() for answer in answers]}


def act(job, connection, step):
    if step["action"] == "update":
        return update(connection, step)
    if step["action"] == "action":
        return action(connection, step)
    return metadata(connection, job, step)
