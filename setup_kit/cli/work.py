"""What each command does that changes an environment: plan, show, ask, carry out under the journal, tell the result."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

import click

from setup_kit.cli.answer import Answer, addressed, of_plan, of_result, tell
from setup_kit.cli.options import Output, finish
from setup_kit.cli.session import Session, open_session, stoppable
from setup_kit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from setup_kit.cli.session import Adjust
    from setup_kit.engine.events import Listener
    from setup_kit.engine.executor import Result, Temporaries
    from setup_kit.engine.planner import Plan
    from setup_kit.report.documents import Document


@dataclass(frozen=True)
class Consent:
    """What the person allowed beforehand; `wait` is how many seconds another run's end may be waited for."""

    yes: bool = False
    destructive: bool = False
    wait: float = 0.0


class Work:
    """A plan that is to be carried out: how it is shown, asked about, performed and told."""

    def __init__(self, session: Session, plan: Plan, *, destructive: bool) -> None:
        self.session = session
        self.plan = addressed(plan, session)
        self.destructive = destructive

    def show(self, console: Console) -> None:
        from setup_kit.report.console import show_plan

        show_plan(console, self.session.name, self.plan)

    def document(self) -> Document:
        """What is planned."""
        from setup_kit.report.documents import plan_document

        return plan_document(self.session.name, self.plan)

    def answer(self) -> Answer:
        """What is planned, as a command says it that changes nothing."""
        return of_plan(self.session, self.plan)

    def refuse(self) -> None:
        """Raises KitError where there is something in the plan that nobody allowed, or that could not be made."""
        from setup_kit.engine.executor import refuse_destructive

        self.session.house.password.refuse_without(self.plan)
        if not self.destructive:
            refuse_destructive(self.plan.changes)

    def confirmed(self) -> bool:
        """Asks before the changes are made. Raises UsageError where nobody can answer."""
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to confirm the changes", remedy="pass --yes to make them without asking")
        return click.confirm(f"Make these changes to {self.session.name}?", err=True)

    def perform(self, listener: Listener, temporaries: Temporaries, stop: threading.Event) -> Result:
        from setup_kit.engine.executor import execute

        return execute(self.plan, listener, temporaries, stop, destructive=self.destructive)

    def told(self, result: Result) -> Document:
        """What was done."""
        from setup_kit.report.documents import result_document

        return result_document(self.session.name, result)


_YES = click.option("--yes", is_flag=True, help="Do not ask; make the changes.")
_ALLOW_DESTRUCTIVE = click.option(
    "--allow-destructive",
    is_flag=True,
    help="Also make the changes marked destructive, by which something or somebody loses what it has.",
)
_WAIT = click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long for another run on the environment to end, instead of refusing at once.",
)


def consent_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --yes, --allow-destructive and --wait, handed to the command as one `consent: Consent`."""

    def wrapped(*arguments: Any, yes: bool, allow_destructive: bool, wait: float, **options: Any) -> Any:
        return function(*arguments, consent=Consent(yes, allow_destructive, wait), **options)

    return _WAIT(_ALLOW_DESTRUCTIVE(_YES(update_wrapper(wrapped, function))))


def wait_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --wait alone, for a command that has its own ways to be allowed what it does."""
    return _WAIT(function)


@contextmanager
def changing(
    environment: str, command: str, wait: float, *, adjust: Adjust | None = None, drop_objects: bool = False
) -> Iterator[Session]:
    """A session that no other run on the environment stands beside. `command` is what the journal calls it.

    `wait` is how many seconds another run's end may be waited for.
    """
    from setup_kit.engine.run_lock import run_lock

    with (
        open_session(environment, ask_password=sys.stdin.isatty(), adjust=adjust, drop_objects=drop_objects) as session,
        run_lock(session.folder, session.name, command, wait=wait),
    ):
        yield session


def make(
    environment: str,
    command: str,
    targets: Iterable[str],
    consent: Consent,
    output: Output,
    *,
    adjust: Adjust | None = None,
) -> None:
    """Has the resources of these address patterns, and what they need, be as the environment file says."""
    with changing(environment, command, consent.wait, adjust=adjust) as session:
        made = planned(session, targets, output)
        carry_out(Work(session, made, destructive=consent.destructive), command, output, yes=consent.yes)


def planned(session: Session, targets: Iterable[str], output: Output, *, open_ways: bool = False) -> Plan:
    """The plan for the resources of these address patterns, of all when there is none. Changes nothing."""
    from setup_kit.engine.executor import reading
    from setup_kit.engine.selection import select

    nodes = select(session.house.nodes, targets)
    with stoppable(session.stop), output.progress() as progress:
        return reading(nodes, progress, session.stop, open_ways=open_ways)


def carry_out(work: Work, command: str, output: Output, *, yes: bool, dry_run: bool = False) -> None:
    """Shows a plan, asks, makes its changes and tells the result; ends the command where it cannot or may not go on."""
    session, made = work.session, work.plan
    if not output.json:
        work.show(output.out)
    if dry_run or made.interrupted or made.failures:
        if output.json:
            output.document(work.document())
        failed = ExitCode.FAILED if made.failures else ExitCode.DONE
        finish(ExitCode.INTERRUPTED if made.interrupted else failed)
    work.refuse()
    if not made.empty and not yes and not work.confirmed():
        output.err.print("Nothing was changed.")
        finish(ExitCode.FAILED)
    with output.progress(session.journal) as progress, stoppable(session.stop):
        answer = perform(work, command, progress)
    tell(answer, output)


def perform(work: Work, command: str, listener: Listener) -> Answer:
    """Makes the changes, each told to the environment's journal as well."""
    from setup_kit.engine.executor import Temporaries
    from setup_kit.engine.journal import Journal
    from setup_kit.engine.tell import tell_all

    session = work.session
    with Journal(session.journal, command) as journal:
        both = tell_all(journal, listener)
        result = addressed(work.perform(both, Temporaries(both), session.stop), session)
    return of_result(session, command, work.told(result), result)
