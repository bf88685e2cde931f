"""How a command ended on several environments: a table for a person, a document for a program."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from setup_kit.errors import WORST_FIRST, ExitCode
from setup_kit.report.console import ARROW
from setup_kit.report.documents import Document

COLORS = {ExitCode.DONE: "green", ExitCode.CHANGES_PENDING: "yellow", ExitCode.INTERRUPTED: "yellow"}


@dataclass(frozen=True)
class Ending:
    """How a command ended on one environment, and after how many seconds.

    `given` is how one names it on the command line, `next` the kit's command to type next, `document` what the command
    prints of this environment alone; None where it was not begun.
    """

    environment: str
    given: str
    code: ExitCode
    result: str
    seconds: float
    counts: Mapping[str, int] = field(default_factory=dict)
    next: str = ""
    document: Document | None = None


def worst(endings: Iterable[Ending]) -> ExitCode:
    """The exit code of a command that ended so."""
    codes = {ending.code for ending in endings}
    return next(code for code in WORST_FIRST if code in codes)


def together_document(command: str, endings: Sequence[Ending]) -> Document:
    return {
        "command": command,
        "exit_code": int(worst(endings)),
        "environments": [
            {
                "environment": each.environment,
                "exit_code": int(each.code),
                "result": each.result,
                "counts": dict(each.counts),
                "seconds": round(each.seconds, 1),
                "next": _typed(each.next, [each]) if each.next else "",
                "document": each.document,
            }
            for each in endings
        ],
    }


def show_endings(console: Console, endings: Sequence[Ending], *, every: str) -> None:
    """A line each, then what to type next; `every` is how all of them are named on the command line."""
    counted = list(dict.fromkeys(key for each in endings for key in each.counts))
    table = Table(show_edge=False, pad_edge=False, box=None, header_style="bold")
    table.add_column("environment", overflow="fold")
    table.add_column("result", overflow="fold")
    for key in counted:
        table.add_column(key.replace("_", " "), justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("next", no_wrap=True)
    for each in endings:
        color = COLORS.get(each.code, "red")
        counts = [str(each.counts.get(key, "")) for key in counted]
        row = [escape(each.environment), f"[{color}]{escape(each.result)}[/]", *counts, clock(each.seconds), each.next]
        table.add_row(*row)
    console.print(table)
    for command in dict.fromkeys(each.next for each in endings if each.next):
        those = [each for each in endings if each.next == command]
        line = f"setup-kit {command} {every}" if len(those) == len(endings) else _typed(command, those)
        console.print(f"{ARROW} {line}", markup=False)


def clock(seconds: float) -> str:
    """`0:07`, `12:40`"""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"


def _typed(command: str, those: Iterable[Ending]) -> str:
    return " ".join([f"setup-kit {command}", *(f"-e {shlex.quote(each.given)}" for each in those)])
