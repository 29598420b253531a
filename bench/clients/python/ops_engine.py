"""The engine in this process, its result written as an Arrow IPC stream to a sink that counts and forgets: no server, no network."""

import time

import duckdb
import pyarrow

from connect import BATCH_ROWS

_open = {}


def engine_ipc(args):
    path = args["database"]
    if path not in _open:
        _open[path] = duckdb.connect(path, read_only=True)
    started = time.perf_counter()
    reader = _open[path].execute(args["sql"]).fetch_record_batch(BATCH_ROWS)
    sink = pyarrow.MockOutputStream()
    rows = 0
    with pyarrow.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return {"rows": rows, "bytes": sink.size(), "seconds": time.perf_counter() - started}


OPS = {"engine-ipc": engine_ipc}
