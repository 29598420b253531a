"""Large results, read batch by batch and thrown away."""

import threading
import time

from connect import connections


def read(connection, sql):
    rows = size = batches = 0
    for batch in connection.batches(sql):
        rows += batch.num_rows
        size += batch.nbytes
        batches += 1
    return rows, size, batches


def bulk(args):
    """All clients start together, each on a connection and thread of its own; the libraries work outside Python's lock."""
    opened = connections(args["target"], args.get("clients", 1), args.get("client", "usual"))
    results = [None] * len(opened)
    failures = []
    barrier = threading.Barrier(len(opened) + 1)

    def work(index):
        barrier.wait()
        try:
            results[index] = read(opened[index], args["sql"])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(opened))]
    for thread in threads:
        thread.start()
    barrier.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if failures:
        raise failures[0]
    rows, size, batches = (sum(column) for column in zip(*results))
    return {"rows": rows, "bytes": size, "batches": batches, "seconds": seconds}


OPS = {"bulk": bulk}
