"""The load client: one JSON request per line on stdin, one JSON answer per line on stdout. Operations are in ops_*.py."""

import importlib
import json
import pathlib
import sys
import traceback

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))


def operations():
    """Each module has OPS: what it can do by name. A module whose library is missing costs its own operations only."""
    found = {}
    for path in sorted(HERE.glob("ops_*.py")):
        try:
            found.update(importlib.import_module(path.stem).OPS)
        except ImportError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
    return found


def main():
    known = operations()
    answers = sys.stdout
    # Whatever a library prints must not look like an answer.
    sys.stdout = sys.stderr
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"id": request["id"], "result": known[request["op"]](request["args"])}
        except Exception as error:
            traceback.print_exc()
            answer = {"id": request["id"], "error": f"{type(error).__name__}: {error}"[:2000]}
        print(json.dumps(answer), file=answers, flush=True)


main()
