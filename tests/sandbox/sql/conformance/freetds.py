"""Where the system keeps FreeTDS's ODBC driver; as a program: prints the path, or ends with 1."""

from __future__ import annotations

import sys
from pathlib import Path

PLACES = (
    "usr/lib/*/odbc/libtdsodbc.so",  # Debian, Ubuntu
    "usr/lib64/libtdsodbc.so*",  # Fedora
    "usr/lib/libtdsodbc.so*",  # Alpine
    "opt/homebrew/lib/libtdsodbc.so",
    "usr/local/lib/libtdsodbc.so",
)


def driver() -> Path:
    """Raises FileNotFoundError when the driver is not installed."""
    found = [path for place in PLACES for path in sorted(Path("/").glob(place))]
    if not found:
        raise FileNotFoundError("libtdsodbc.so is not installed; ./run test installs it (Debian: tdsodbc)")
    return found[0]


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{driver()}\n")
    except FileNotFoundError as error:
        sys.exit(str(error))
