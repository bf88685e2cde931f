"""Failures of an export as a person reads them, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape

from setup_kit.export_service.failure_reasons import Explanation, FailureCount, name_of, reason_of
from setup_kit.export_service.failures import Failure
from setup_kit.moment import readable
from setup_kit.report.console import show_table
from setup_kit.report.documents import Document
from setup_kit.report.states import plain

NONE = "There are no failures in the log."


def failures_list(environment: str, failures: Sequence[Failure], left_out: int) -> Document:
    """`failures`, and how many older ones were `left_out`; `known` is the name of a known reason."""
    return {
        "environment": environment,
        "failures": [{**plain(failure), "known": name_of(reason_of(failure.reason))} for failure in failures],
        "left_out": left_out,
    }


def show_failures_list(console: Console, failures: Sequence[Failure], left_out: int) -> None:
    if not failures:
        console.print(NONE)
        return
    rows = [
        [readable(each.notified), each.entity, each.record or "", each.change, _line(each.reason)] for each in failures
    ]
    show_table(console, "", ["time (UTC)", "entity", "record", "change", "reason"], rows)
    if left_out:
        console.print(f"\n{left_out:,} older ones are not shown: --limit shows more.")


def failures_summary(environment: str, counts: Iterable[FailureCount]) -> Document:
    """`entries` in all, and by entity and reason."""
    counts = list(counts)
    return {
        "environment": environment,
        "entries": sum(count.entries for count in counts),
        "failures": [
            {
                "entity": count.entity,
                "known": name_of(count.reason),
                "meaning": count.reason.what if count.reason else "",
                "text": count.text,
                "entries": count.entries,
                "records": count.records,
                "first": plain(count.first),
                "last": plain(count.last),
            }
            for count in counts
        ],
    }


def show_failures_summary(console: Console, counts: Iterable[FailureCount]) -> None:
    rows = [
        [
            count.entity,
            count.entries,
            count.records,
            readable(count.last),
            count.reason.what if count.reason else _line(count.text),
        ]
        for count in counts
    ]
    if not rows:
        console.print(NONE)
        return
    show_table(console, "", ["entity", "entries", "records", "last (UTC)", "reason"], rows)


def failures_explained(environment: str, given: str, explanations: Iterable[Explanation]) -> Document:
    """`reasons`, each with what it means and the next `command`; `given` is how the environment was named."""
    return {
        "environment": environment,
        "reasons": [
            {
                "reason": name_of(each.reason),
                "entries": each.entries,
                "entities": list(each.entities),
                "text": each.text,
                "meaning": each.reason.what,
                "why": each.reason.why,
                "remedy": each.reason.remedy,
                "link": each.reason.link,
                "command": _command(each, given),
            }
            for each in explanations
        ],
    }


def show_failures_explained(console: Console, given: str, explanations: Sequence[Explanation]) -> None:
    if not explanations:
        console.print(NONE)
    for each in explanations:
        entries = "1 entry" if each.entries == 1 else f"{each.entries:,} entries"
        console.print(f"[bold]{escape(each.reason.what)}[/]  {entries}: {escape(', '.join(each.entities))}")
        console.print(f"  {escape(each.reason.why)}")
        console.print(f"  {escape(each.reason.remedy)}")
        console.print(f"  [cyan]→[/] {escape(_command(each, given))}")
        if each.reason.link:
            console.print(f"    [bright_black]{escape(each.reason.link)}[/]")
        for line in each.text.splitlines():
            console.print(f"  [bright_black]{escape(line)}[/]")
        console.print()


def _command(each: Explanation, given: str) -> str:
    return f"{each.reason.command} -e {shlex.quote(given)}"


def _line(text: str) -> str:
    return " ".join(text.split())
