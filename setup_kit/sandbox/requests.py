"""The log of requests: one JSON line for each that any part of the sandbox answered."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


FILE = "requests.jsonl"


def read_requests(directory: Path) -> list[dict[str, Any]]:
    """Every request that the sandbox in this directory has answered, the oldest first."""
    path = directory / FILE
    if not path.exists():
        return []
    # A line that is being written just now has no end yet.
    whole = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
    return [json.loads(line) for line in whole]


def is_write(request: dict[str, Any]) -> bool:
    """Whether a request was meant to change something: tokens and validations are asked for with POST and do not."""
    if request["part"] == "entra":
        return False
    if request["part"] == "sql":
        return request["method"] not in ("LOGIN", "SELECT", "SET")
    return request["method"] not in ("GET", "HEAD", "OPTIONS") and not request["path"].endswith("/validate")


class RequestLog:
    """Appends to DIR/requests.jsonl. No query string, header or body is ever written: those may hold secrets."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._lock = threading.Lock()

    def add(self, part: str, method: str, path: str, status: int, milliseconds: float, caller: str) -> None:
        """Write one line; `path` is cut at a question mark, `caller` is "" for one who is not known."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "part": part,
            "method": method,
            "path": path.partition("?")[0],
            "status": status,
            "milliseconds": round(milliseconds, 1),
            "caller": caller,
        }
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        with self._lock:
            os.write(self._file, data)

    def close(self) -> None:
        with self._lock:
            os.close(self._file)
