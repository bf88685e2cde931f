"""Plans, runs, findings and errors as a person reads them in a terminal or a log."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import groupby, zip_longest
from typing import IO, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from setup_kit.engine.drift import Standing, drift
from setup_kit.engine.executor import Result
from setup_kit.engine.planner import CheckFailed, Plan
from setup_kit.engine.resource import Action, Change, Finding, Node, Resource, Status, Value, told
from setup_kit.report.documents import summary

STANDINGS = {
    Standing.AS_WANTED: "green",
    Standing.DIFFERS: "yellow",
    Standing.MISSING: "red",
    Standing.UNREADABLE: "cyan",
}
SIGNS = {Action.CREATE: ("+", "green"), Action.UPDATE: ("~", "yellow"), Action.DELETE: ("-", "red")}
MARKS = {
    Status.PASSED: ("passed ", "green"),
    Status.WARNING: ("warning", "yellow"),
    Status.FAILED: ("FAILED ", "red"),
    Status.SKIPPED: ("skipped", "bright_black"),
}


# What begins the line of a next step, which is often a command, and of a link: not wrapped, so that it is copied whole.
ARROW = "→"
LINK = "https://"

# Columns: what wraps nothing, and what is made of a COLUMNS in which no line could be read.
ENDLESS = 10_000
NARROWEST = 40


class PatientConsole(Console):
    """Falls silent when its reader has gone, where rich's own would end whatever thread happened to print.

    Where it has a width, a long line goes on below its own beginning.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        rendered = super().render_str(text, **options)
        if self.width >= ENDLESS:
            return rendered
        lines = rendered.split("\n", allow_blank=True)
        return Text("\n").join(part for line in lines for part in self._hanging(line))

    def _hanging(self, line: Text) -> list[Text]:
        plain = line.plain
        if line.cell_len <= self.width or plain.lstrip().startswith((ARROW, LINK)):
            return [line]
        indent = len(plain) - len(plain.lstrip())
        below = " " * min(indent + 4, self.width // 2)
        first, *rest = line[indent:].wrap(self, self.width - len(below))
        for each in (first, *rest):
            each.rstrip()
        return [Text(" " * indent) + first, *(Text(below) + each for each in rest)]

    def on_broken_pipe(self) -> None:
        self.quiet = True
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def make_console(file: IO[str], *, color: bool = True) -> Console:
    """A console that wraps nothing where it is no terminal, unless the variable COLUMNS says how wide it is.

    Without `color`, and with the variable NO_COLOR, text is sent as it is: not bold either.
    """
    plain = not color or bool(os.environ.get("NO_COLOR"))
    console = PatientConsole(file=file, color_system=None if plain else "auto", highlight=False, soft_wrap=True)
    if not console.is_terminal:
        columns = os.environ.get("COLUMNS", "")
        console.width = max(int(columns), NARROWEST) if columns.isdecimal() and int(columns) else ENDLESS
    return console


def show_plan(console: Console, environment: str, plan: Plan) -> None:
    """What `apply` would do, grouped by resource; then the counts."""
    show_findings(console, [finding for finding in plan.findings if finding.status is not Status.PASSED])
    if plan.changes:
        console.print(f"[bold]Plan for {escape(environment)}[/]\n")
    for address, changes in groupby(plan.changes, key=lambda change: change.resource):
        show_changes(console, address, list(changes))
    for item in plan.deferred:
        console.print(f"  [cyan]?[/] {escape(item.resource.address)}  decided during apply: {escape(item.reason)}")
    for remedy in dict.fromkeys(item.remedy for item in plan.deferred if item.remedy):
        console.print(f"  [cyan]→[/] {escape(remedy)}")
    if plan.changes or plan.deferred:
        console.print()
    show_failures(console, plan.failures, plan.blocked)
    if plan.interrupted or not plan.failures:
        console.print(_counts(plan))


def show_plan_trouble(console: Console, plan: Plan) -> None:
    """What is destructive in a plan, and what could not be read."""
    destructive = [change for change in plan.changes if change.destructive]
    for address, changes in groupby(destructive, key=lambda change: change.resource):
        show_changes(console, address, list(changes))
    show_failures(console, plan.failures, plan.blocked)


def show_drift(console: Console, environment: str, plan: Plan) -> None:
    """How far each resource is from the file: a line each, and below it what differs."""
    console.print(f"[bold]Status of {escape(environment)}[/]\n")
    width = max(map(len, Standing))
    for each in drift(plan):
        reason = f"  {escape(each.reason)}" if each.reason else ""
        console.print(f"  [{STANDINGS[each.standing]}]{each.standing:<{width}}[/]  {escape(each.resource)}{reason}")
        if each.standing is Standing.DIFFERS:
            for change in each.changes:
                console.print(f"  {'':<{width}}  {_part(change)}{_why(change)}")
    if plan.interrupted or not plan.failures:
        console.print(f"\n{_counts(plan)}")


def interrupted_text(plan: Plan) -> str:
    """What there is to say of a plan that is not whole."""
    left = sum(isinstance(node, Resource) for node in plan.left)
    text = f"{left} resource{' was' if left == 1 else 's were'} not looked at, and nothing was changed."
    return f"[yellow]Interrupted.[/] {text} Run the same command again."


def _counts(plan: Plan) -> str:
    if plan.interrupted:
        return interrupted_text(plan)
    counts = summary(plan.changes, len(plan.unchanged))
    if plan.empty:
        return f"[green]No changes.[/] {counts['unchanged']} resources are as the environment file says."
    text = (
        f"{counts['created']} to create, {counts['updated']} to update, {counts['deleted']} to delete, "
        f"{counts['unchanged']} unchanged"
    )
    text += f", {len(plan.deferred)} decided during apply." if plan.deferred else "."
    destructive = sum(change.destructive for change in plan.changes)
    return text + (f"\n[red]{destructive} destructive:[/] made only with --allow-destructive." if destructive else "")


def show_changes(console: Console, address: str, changes: list[Change]) -> None:
    """The changes of one resource."""
    whole = next((change for change in changes if not change.target), None)
    if whole is not None:
        sign, color = SIGNS[whole.action]
        arrow = "" if whole.action is not Action.UPDATE else f"  {shown(whole.before)} → {shown(whole.after)}"
        value = f"  {shown(whole.after)}" if whole.action is Action.CREATE and whole.after not in (None, "") else ""
        value = value or other_name(whole)
        console.print(f"  [{color}]{sign}[/] [bold]{escape(address)}[/]{value}{arrow}{_why(whole)}")
        for key, detail in whole.detail.items():
            if detail is not None:
                console.print(f"      {escape(key)}: {shown(detail)}")
    else:
        console.print(f"    [bold]{escape(address)}[/]")
    for change in changes:
        if change is whole:
            continue
        console.print(f"      {_part(change)}{_why(change)}")


def other_name(change: Change) -> str:
    """What goes as a whole, where its name is not that of its address, as that of the second export user is not."""
    whole = change.action is Action.DELETE and not change.target
    if whole and isinstance(change.before, str) and not change.resource.endswith(f"/{change.before}"):
        return f"  {shown(change.before)}"
    return ""


def _part(change: Change) -> str:
    """A change of a part of a resource: its sign, its name, its old value and its new one."""
    sign, color = SIGNS[change.action]
    line = f"[{color}]{sign}[/] {escape(change.target)}"
    if change.action is Action.UPDATE:
        return f"{line}: {shown(change.before)} → {shown(change.after)}"
    value = change.before if change.action is Action.DELETE else change.after
    return f"{line}: {shown(value)}" if value not in (None, "", True) else line


def _why(change: Change) -> str:
    mark = "  [red]destructive[/]" if change.destructive else ""
    return mark + (f"  [bright_black]# {escape(change.why)}[/]" if change.why else "")


def shown(value: Value) -> str:
    """A value of a change, escaped for markup."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return "(none)"
    if isinstance(value, list):
        return escape(", ".join(value)) or "(none)"
    if isinstance(value, dict):
        return escape(", ".join(f"{key}={item}" for key, item in value.items())) or "(none)"
    return escape(str(value))


def counted(count: int, noun: str) -> str:
    """`1 warning`, `2 warnings`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def show_result(console: Console, result: Result) -> None:
    """How a run ended: failures first, then the counts."""
    show_findings(console, [finding for finding in result.findings if finding.status is Status.WARNING])
    show_failures(console, {**result.failures, **result.close_failures}, result.blocked)
    counts = summary(result.made, len(result.unchanged))
    text = (
        f"{counts['created']} created, {counts['updated']} updated, {counts['deleted']} deleted, "
        f"{counts['unchanged']} unchanged"
    )
    if result.interrupted:
        console.print(f"[yellow]Interrupted.[/] {text}.")
        if result.left:
            console.print("Not reached: " + ", ".join(escape(node.address) for node in result.left))
        console.print("Run the same command again to finish.")
    elif result.succeeded:
        console.print(f"[green]Done.[/] {text}.")
    else:
        console.print(f"[red]Not finished.[/] {text}. Run the same command again when the cause is mended.")


def show_failures(console: Console, failures: Mapping[Node, Exception], blocked: Mapping[Node, Node]) -> None:
    for node, error in failures.items():
        if isinstance(error, CheckFailed):
            show_findings(console, error.findings)
        else:
            show_error(console, error, of=node.address)
    for blocker, waiting in groupby(
        sorted(blocked.items(), key=lambda pair: pair[1].address), key=lambda pair: pair[1]
    ):
        names = ", ".join(escape(node.address) for node, _ in waiting)
        console.print(f"[bright_black]not reached because of {escape(blocker.address)}: {names}[/]")


def show_error(console: Console, error: Exception, of: str = "") -> None:
    """What happened, why, what to do; in grey a page to read on and the original words."""
    place = f"{escape(of)}: " if of else ""
    met = told(error)
    console.print(f"[red]error:[/] {place}{escape(met.what)}")
    for line in met.why.splitlines():
        console.print(f"  {escape(line)}")
    if met.remedy:
        console.print(f"  [cyan]→[/] {escape(met.remedy)}")
    if met.link:
        console.print(f"    [bright_black]{escape(met.link)}[/]")
    for line in met.original.splitlines():
        console.print(f"  [bright_black]{escape(line)}[/]")


def show_findings(console: Console, findings: Iterable[Finding]) -> None:
    """A line each; a remedy once, below the last of the findings in a row that share it."""
    every = list(findings)
    for finding, following in zip_longest(every, every[1:]):
        mark, color = MARKS[finding.status]
        console.print(f"  [{color}]{mark}[/] [bold]{escape(finding.resource)}[/]  {escape(finding.message)}")
        if finding.status is Status.PASSED:
            continue
        if finding.evidence and finding.status is not Status.SKIPPED:
            console.print(f"          [bright_black]{escape(f'{finding.severity}: {finding.evidence}')}[/]")
        if finding.remedy and (following is None or following.remedy != finding.remedy):
            console.print(f"          [cyan]→[/] {escape(finding.remedy)}")
            if finding.link:
                console.print(f"            [bright_black]{escape(finding.link)}[/]")


def show_table(console: Console, title: str, columns: list[str], rows: Iterable[Iterable[object]]) -> None:
    """A table whose number columns are set to the right. Where it is too wide, its texts go on in the next line."""
    lines = [[str(cell) for cell in row] for row in rows]
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False, box=None, header_style="bold")
    for index, column in enumerate(columns):
        numbers = bool(lines) and all(line[index].replace(",", "").isdigit() for line in lines)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold", no_wrap=numbers)
    for line in lines:
        table.add_row(*map(escape, line))
    console.print(table)
