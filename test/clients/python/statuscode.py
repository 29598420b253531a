"""gRPC status codes as they appear in the drivers' error texts, in the words Jetbridge uses."""

import re

CODES = [
    "cancelled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
    "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented",
    "internal", "unavailable", "data_loss", "unauthenticated",
]
BY_PLAIN = {code.replace("_", ""): code for code in CODES} | {"canceled": "cancelled"}


def code_in(text):
    """The code named in an error text by grpc-go, ADBC or Arrow C++; None where none is named."""
    for pattern in (r"code = (\w+)", r"\((\w+); ", r"grpc_status:(\d+)", r"returned ([a-z ]+) error"):
        for found in re.findall(pattern, text):
            if found.isdigit() and 0 < int(found) <= len(CODES):
                return CODES[int(found) - 1]
            word = found.replace(" ", "").replace("_", "").lower()
            if word in BY_PLAIN:
                return BY_PLAIN[word]
    return None
