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
IMPORTED = """
import sys
from setup_kit.cli.root import run
sys.argv[1:] = ["plan", "--help"]
sys.stdout = open("/dev/null", "w")
run()
print([*sys.modules], file=sys.stderr)
"""


def help_over_click() -> list[Figure]:
    """Medians of the ratios of pairs run in turn; and which heavy packages the help of a command imports: none."""
    modules = subprocess.run([sys.executable, "-c", IMPORTED], stderr=subprocess.PIPE, text=True, check=True).stderr
    heavy = [name for name in HEAVY if f"'{name}'" in modules]
    alone = statistics.median(seconds([COMMAND, "--help"]) for _ in range(PAIRS))
    az = azure_cli.start_seconds()
    basis = f"{alone * 1000:.0f} ms over {az * 1000:.0f} ms of azure-cli {azure_cli.VERSION}'s"
    return [
        Figure("setup-kit --help over az --version", alone / az, 0.15, "x", basis),
        *(_over_click(words) for words in (["--help"], ["plan", "--help"])),
        Figure("heavy imports of plan --help", len(heavy), 0, "", ", ".join(heavy) or f"none of {', '.join(HEAVY)}"),
    ]


def _over_click(words: list[str]) -> Figure:
    alone = [sys.executable, "-c", "import click"]
    ratios = [seconds([COMMAND, *words]) / seconds(alone) for _ in range(PAIRS)]
    basis = "of python -c 'import click', median of pairs"
    return Figure(f"setup-kit {' '.join(words)}", statistics.median(ratios), 2.5, "x", basis)


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun
