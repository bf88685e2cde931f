"""The Azure CLI, in an environment of its own, to be measured against."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

VERSION = "2.91.0"
RUNS = 5


def installed() -> Path:
    """Its command. Installs it from PyPI into the cache when it is not there, which takes minutes."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "setup-kit" / f"azure-cli-{VERSION}"
    command = folder / "bin" / "az"
    if not (folder / "complete").exists():
        print(f"Installing azure-cli {VERSION} into {folder} ...", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", f"azure-cli=={VERSION}"]
        subprocess.run(pip, check=True)
        (folder / "complete").touch()
    return command


def start_seconds() -> float:
    """How long it takes to do next to nothing: the quicker of its two ways to say its version, median of some runs."""
    command = str(installed())
    return min(
        statistics.median(_seconds([command, *arguments]) for _ in range(RUNS))
        for arguments in (["--version"], ["version"])
    )


def _seconds(command: list[str]) -> float:
    # Without telling anybody that it ran.
    variables = os.environ | {"AZURE_CORE_COLLECT_TELEMETRY": "false"}
    begun = time.perf_counter()
    subprocess.run(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun
