"""TPC-H: each query in turn, its result read to the end."""

import time

from connect import connections


def tpch(args):
    (connection,) = connections(args["target"], 1, args.get("client", "usual"))
    seconds = {}
    for query in args["queries"]:
        started = time.perf_counter()
        for _ in connection.batches(query["sql"]):
            pass
        seconds[str(query["number"])] = time.perf_counter() - started
    return {"seconds": seconds}


OPS = {"tpch": tpch}
