"""The log of requests: one JSON line for each that any part of the sandbox answered."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REQUESTS = "requests.jsonl"
# What reads only: methods of HTTP, and classes of T-SQL. A transaction by itself changes nothing either; what it
# holds is logged beside it.
READS = frozenset({"GET", "HEAD", "OPTIONS", "LOGIN", "SELECT", "SET", "TRANSACTION"})
# Questions that drivers ask of the server on their own account.
DESCRIBING = ("EXECUTE sp_describe_", "EXECUTE sp_datatype_info", "EXECUTE sp_unprepare", "EXECUTE sp_reset_connection")
# POST that changes nothing: it asks, or lets itself be advised.
ASKING = ("/checknameavailability", "/checkpolicyrestrictions", "/profiles/validate")


class RequestLog:
    """Appends to DIR/requests.jsonl. No query string, header or body is ever written: those may hold secrets."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._lock = threading.Lock()

    def add(
        self, part: str, method: str, path: str, status: int, milliseconds: float, caller: str, fault: str = ""
    ) -> None:
        """Write one line; `path` is cut at a question mark, `caller` is "" for one who is not known.

        `fault` is the id of the fault that the request met; without one the line does not speak of faults.
        """
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "part": part,
            "method": method,
            "path": path.partition("?")[0],
            "status": status,
            "milliseconds": round(milliseconds, 1),
            "caller": caller,
            **({"fault": fault} if fault else {}),
        }
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        with self._lock:
            os.write(self._file, data)

    def close(self) -> None:
        with self._lock:
            os.close(self._file)


def read_requests(directory: Path) -> list[dict[str, Any]]:
    """What the sandbox in `directory` has answered, oldest first; a line that is being written now is left out."""
    try:
        lines = (directory / REQUESTS).read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def is_write(entry: dict[str, Any]) -> bool:
    """Whether a logged request was to change something. Signing in is none."""
    if entry["part"] == "entra" or entry["method"] in READS:
        return False
    if str(entry["method"]).startswith(DESCRIBING):
        return False
    return not str(entry["path"]).lower().endswith(ASKING)
