"""Runs jobs from stdin through the driver named on the command line: `adbc`, `flight` or `local` (no server at all)."""

import json
import sys

from protocol import RowSink, attempt, pause, send, until_available


def local_job(job):
    import tpch

    def describe(error):
        return {"code": "internal", "message": str(error)}

    actions = {"tpch": tpch.generate, "sql": tpch.run_sql}
    return {"steps": [attempt(lambda: actions[step["action"]](step), describe) for step in job["steps"]]}


def driver_step(driver, job, connection, step):
    if step["action"] == "wait":
        return attempt(lambda: pause(job["id"]), driver.describe)
    if step["action"] == "query":
        sink = RowSink(job["id"], step)
        return attempt(lambda: driver.query(connection, step, sink), driver.describe, sink)
    return attempt(lambda: driver.act(job, connection, step), driver.describe)


def driver_job(driver, job):
    try:
        connection = driver.connect(job)
    except Exception as error:  # a refused connection is the job's result
        return {"connectError": driver.describe(error), "steps": []}
    try:
        steps = [until_available(step, lambda: driver_step(driver, job, connection, step)) for step in job["steps"]]
    finally:
        try:
            connection.close()
        except Exception as error:  # closing over a dead link must not hide the steps' results
            print(f"close: {error}", file=sys.stderr)
    return {"steps": steps}


def main():
    if sys.argv[1] == "adbc":
        import adbc_client as driver
    elif sys.argv[1] == "flight":
        import flight_client as driver
    else:
        driver = None
    send("", "ready")
    while line := sys.stdin.readline():
        job = json.loads(line)
        result = local_job(job) if driver is None else driver_job(driver, job)
        send(job["id"], "done", **result)


if __name__ == "__main__":
    main()
