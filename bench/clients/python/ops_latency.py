"""How long one small statement takes, one after the other on one connection."""

import time

from connect import connections


def percentile(ordered, share):
    """Linear between neighbours."""
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def summary(seconds):
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "p50Ms": percentile(ordered, 0.5) * 1000,
        "p99Ms": percentile(ordered, 0.99) * 1000,
        "meanMs": sum(ordered) / len(ordered) * 1000,
    }


def timed(call, iterations):
    seconds = []
    for _ in range(iterations):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return seconds


def latency(args):
    """`prepared` runs one statement handle again and again, where the protocol has such a thing."""
    (connection,) = connections(args["target"], 1, args.get("client", "usual"))
    if args.get("prepared"):
        run = connection.prepared(args["sql"])
        return summary(timed(run, args["iterations"]))
    return summary(timed(lambda: connection.rows(args["sql"]), args["iterations"]))


OPS = {"latency": latency}
