"""The job protocol every client program speaks.

One JSON job per line arrives on stdin. A job names a connection and a list of steps; every step yields one outcome and
a failing step does not stop the ones after it. While a step reads rows the program may announce `progress`, and it may
announce `paused` and wait for a line on stdin before it reads on. The last line of a job has the event `done`.
"""

import json
import math
import sys
import time


def send(job_id, event, **fields):
    sys.stdout.write(json.dumps({"id": job_id, "event": event, **fields}) + "\n")
    sys.stdout.flush()


def pause(job_id, rows=0):
    """Announces that the job waits, and waits for the line that lets it go on."""
    send(job_id, "paused", rows=rows)
    sys.stdin.readline()


def plain(value):
    """A cell as text that is the same in every client language; NULL stays null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
            return f"{value:.1f}"
        return repr(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(str(plain(v)) for v in value) + "]"
    return str(value)


class RowSink:
    """Counts rows, keeps the first few, announces progress and pauses where the step says so."""

    def __init__(self, job_id, step):
        self.job_id = job_id
        self.limit = step.get("limit", 100)
        self.report_at = step.get("reportAfterRows")
        self.pause_at = step.get("pauseAfterRows")
        self.kept = []
        self.count = 0

    def take(self, batch):
        room = self.limit - len(self.kept)
        if room > 0:
            for row in batch.slice(0, room).to_pylist():
                self.kept.append([plain(v) for v in row.values()])
        self.count += batch.num_rows
        if self.report_at is not None and self.count >= self.report_at:
            self.report_at = None
            send(self.job_id, "progress", rows=self.count)
        if self.pause_at is not None and self.count >= self.pause_at:
            self.pause_at = None
            pause(self.job_id, self.count)

    def outcome(self, schema):
        columns = [{"name": f.name, "type": str(f.type), "nullable": f.nullable} for f in schema]
        return {"columns": columns, "rows": self.kept, "rowCount": self.count}


RETRY_EVERY_S = 0.1


def until_available(step, run):
    """Runs a step again for `retryForMs` while its answer is `unavailable`: gRPC channels wait before they dial again."""
    end = time.monotonic() + step.get("retryForMs", 0) / 1000
    while True:
        outcome = run()
        if outcome["ok"] or outcome["error"]["code"] != "unavailable" or time.monotonic() > end:
            return outcome
        time.sleep(RETRY_EVERY_S)


def attempt(run, describe, sink=None):
    """Runs one step; a failure becomes an outcome with a status code in words."""
    started = time.monotonic()
    try:
        outcome = {"ok": True, **(run() or {})}
    except Exception as error:  # every failure of the driver is the step's result
        outcome = {"ok": False, "error": describe(error)}
        if sink is not None:
            outcome["rowCount"] = sink.count
    outcome["elapsedMs"] = round((time.monotonic() - started) * 1000)
    return outcome
