"""Point lookups of many clients over the protocols that the Go load client does not speak."""

import random
import threading
import time

from connect import connections
from ops_latency import summary


def key_of(number):
    """TPC-H uses 8 of every 32 order keys."""
    return (number >> 3) << 5 | (number & 7)


def lookup_of(connection, sql, prepared):
    if prepared:
        run = connection.prepared(sql)
        return lambda key: len(run([key]))
    return lambda key: len(connection.rows(sql.replace("?", str(key)).replace("$1", str(key))))


def lookups(args):
    opened = connections(args["target"], args["clients"])
    latencies = [[] for _ in opened]
    rows = [0] * len(opened)
    failures = []
    ready = [lookup_of(connection, args["sql"], args["prepared"]) for connection in opened]
    for look in ready:
        look(1)
    started = time.perf_counter()

    def work(index):
        try:
            while time.perf_counter() - started < args["seconds"]:
                at = time.perf_counter()
                rows[index] += ready[index](key_of(random.randint(1, args["largest"])))
                latencies[index].append(time.perf_counter() - at)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(opened))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if failures:
        raise failures[0]
    if sum(rows) == 0:
        raise RuntimeError("no lookup found any row")
    merged = [one for own in latencies for one in own]
    return {**summary(merged), "lookups": len(merged), "seconds": seconds, "rows": sum(rows)}


OPS = {"lookups": lookups}
