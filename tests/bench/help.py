"""How long `setup-kit --help` takes, against importing Click and nothing else, and against the Azure CLI."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.bench import azure_cli
from tests.bench.figures import Figure

PAIRS = 21
COMMAND = str(Path(sys.executable).with_name("setup-kit"))
HEAVY = ("azure", "pydantic", "pyodbc", "rich", "jinja2", "yaml", "aiohttp", "sqlglot")


def help_over_click() -> list[Figure]:
    """The median of the ratios of pairs run in turn; and which heavy packages the help imports: none."""
    ratios = [seconds([COMMAND, "--help"]) / seconds([sys.executable, "-c", "import click"]) for _ in range(PAIRS)]
    imported = "import sys; from setup_kit.cli import cli; print([m for m in sys.modules])"
    modules = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True, check=True).stdout
    heavy = [name for name in HEAVY if f"'{name}'" in modules]
    alone = statistics.median(seconds([COMMAND, "--help"]) for _ in range(PAIRS))
    az = azure_cli.start_seconds()
    basis = f"{alone * 1000:.0f} ms over {az * 1000:.0f} ms of azure-cli {azure_cli.VERSION}'s"
    return [
        Figure("setup-kit --help over az --version", alone / az, 0.15, "x", basis),
        Figure("setup-kit --help", statistics.median(ratios), 2.5, "x", "of python -c 'import click', median of pairs"),
        Figure("heavy imports of --help", len(heavy), 0, "", ", ".join(heavy) or f"none of {', '.join(HEAVY)}"),
    ]


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun
