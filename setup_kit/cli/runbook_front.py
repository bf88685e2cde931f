"""A run of a runbook as it is seen and answered: at a terminal, in a log, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from setup_kit.errors import KitError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from setup_kit.runbooks.record import Entry
    from setup_kit.runbooks.runbook import Command, Input, Runbook, Step
    from setup_kit.runbooks.runner import Choice


@dataclass
class RunbookFront:
    """`auto`: nobody is asked. `console` is where all goes, standard error when the output is a document.

    `busy` shows in a terminal that a command is running, and for how long.
    """

    console: Console
    runbook: Runbook
    auto: bool
    busy: Progress | None = None

    def step(self, step: Step) -> None:
        from setup_kit.runbooks.runbook import Prose

        self.console.print(f"\n[bold]Step {step.number} of {len(self.runbook.steps)}: {_escape(step.title)}[/]")
        for part in step.parts[: step.opening]:
            if isinstance(part, Prose):
                self.text(part.text)

    def text(self, text: str) -> None:
        show_text(self.console, text)

    def ask(self, step: Step) -> Choice:
        from setup_kit.runbooks.runner import Choice

        if step.caution:
            self.console.print("[bold yellow]Caution[/]")
            self.text(step.caution)
        if self.auto:
            return Choice.RUN
        for command in step.commands:
            self.console.print(f"[cyan]{_escape(indented(command.script))}[/]")
        question = "Do it, although it cannot be undone?" if step.caution else "Run it?"
        words = ["yes", "skip", "quit"]
        try:
            answer = click.prompt(question, type=click.Choice(words), default=None if step.caution else "yes", err=True)
        except click.Abort:
            raise KeyboardInterrupt from None
        return dict(zip(words, Choice, strict=True))[answer]

    def command(self, command: Command) -> None:
        if self.auto:
            self.console.print(f"[cyan]{_escape(indented(command.script))}[/]")
        if self.console.is_terminal:
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self.busy = Progress(
                SpinnerColumn(), TextColumn("running"), TimeElapsedColumn(), console=self.console, transient=True
            )
            self.busy.add_task("")
            self.busy.start()

    def said(self, line: str) -> None:
        self.console.print(f"  │ {_escape(line)}", highlight=False)

    def waiting(self, misses: list[str], left: float) -> None:
        self.console.print(f"  [bright_black]not yet: {_escape(misses[0])}; waiting {left:.0f} s at most[/]")

    def ended(self, entry: Entry) -> None:
        from setup_kit.runbooks.record import Status

        if self.busy is not None:
            self.busy.stop()
            self.busy = None
        if entry.status is Status.SKIPPED:
            first, *rest = entry.command.split("\n")
            self.console.print(f"[bright_black]{_escape(indented(first + (' …' if rest else '')))}[/]")
        color = {Status.DONE: "green", Status.SKIPPED: "yellow"}.get(entry.status, "red")
        time = f" after {entry.seconds:.1f} s" if entry.attempts else ""
        expected = f": {entry.expected}" if entry.status is Status.DONE else ""
        why = f": {entry.why}" if entry.why else ""
        self.console.print(f"  [{color}]{entry.status}[/]{time}{_escape(expected + why)}")


def ask_input(declared: Input) -> str:
    """Asks until the answer is one that the input takes."""
    from setup_kit.runbooks.inputs import check_value

    words = f" ({', '.join(declared.choices)})" if declared.choices else ""
    while True:
        answer: str = click.prompt(
            f"{declared.description.rstrip('.')}{words}",
            default=declared.default,
            hide_input=declared.secret,
            show_default=bool(declared.default),
            err=True,
        )
        try:
            check_value(declared, answer)
        except KitError as error:
            click.echo("\n".join(filter(None, [error.what, error.why, error.remedy])), err=True)
        else:
            return answer


def show_text(console: Console, text: str) -> None:
    """Markdown: set for a terminal, as it is written elsewhere."""
    if not text:
        return
    if console.is_terminal:
        from rich.markdown import Markdown

        console.print(Markdown(text))
    else:
        console.print(_escape(text))


def indented(script: str) -> str:
    first, *rest = script.split("\n")
    return "\n".join([f"  $ {first}", *(f"    {line}" for line in rest)])


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
