"""New connections, each with its sign-in and one statement, one after the other."""

from connect import connect
from ops_latency import summary, timed


def connect_and_ask(args):
    def once():
        connection = connect(args["target"])
        try:
            connection.rows(args["sql"])
        finally:
            connection.close()

    return summary(timed(once, args["iterations"]))


OPS = {"connect": connect_and_ask}
