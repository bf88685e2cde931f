"""What each command does that changes an environment: plan, show, ask, carry out under the journal, tell the result."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any

import click

from setup_kit.cli.options import Output, finish
from setup_kit.cli.session import Session, open_session, stoppable
from setup_kit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from setup_kit.cli.session import Adjust
    from setup_kit.engine.events import Listener
    from setup_kit.engine.executor import Result, Temporaries
    from setup_kit.engine.planner import Plan

    Show = Callable[[Console, str, Plan], None]
    Perform = Callable[[Plan, Listener, Temporaries, threading.Event], Result]


@dataclass(frozen=True)
class Consent:
    """What the person allowed beforehand; `wait` is how many seconds another run's end may be waited for."""

    yes: bool = False
    destructive: bool = False
    wait: float = 0.0


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

    command = update_wrapper(wrapped, function)
    for option in (_WAIT, _ALLOW_DESTRUCTIVE, _YES):
        command = option(command)
    return command


@contextmanager
def changing(environment: str, command: str, consent: Consent, *, adjust: Adjust | None = None) -> Iterator[Session]:
    """A session that no other run on the environment stands beside. `command` is what the journal calls it."""
    from setup_kit.engine.run_lock import run_lock

    with (
        open_session(environment, ask_password=sys.stdin.isatty(), adjust=adjust) as session,
        run_lock(session.folder, session.name, command, wait=consent.wait),
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
    with changing(environment, command, consent, adjust=adjust) as session:
        carry_out(session, command, planned(session, targets, output), consent, output)


def planned(session: Session, targets: Iterable[str], output: Output, *, open_ways: bool = False) -> Plan:
    """The plan for the resources of these address patterns, of all when there is none. Changes nothing."""
    from setup_kit.engine.executor import reading
    from setup_kit.engine.selection import select

    nodes = select(session.house.nodes, targets)
    with stoppable(session.stop), output.progress() as progress:
        return reading(nodes, progress, session.stop, open_ways=open_ways)


def carry_out(
    session: Session,
    command: str,
    made: Plan,
    consent: Consent,
    output: Output,
    *,
    show: Show | None = None,
    ask: Callable[[str], bool] | None = None,
    perform: Perform | None = None,
) -> None:
    """Shows a plan, asks, makes its changes and tells the result; ends the command where it cannot or may not go on.

    A plan of another kind brings its own ways to be shown, asked about and performed.
    """
    from setup_kit.engine.executor import Temporaries, execute, refuse_destructive
    from setup_kit.engine.journal import Journal
    from setup_kit.engine.tell import tell_all
    from setup_kit.report.console import show_plan, show_result
    from setup_kit.report.documents import plan_document, result_document

    if not output.json:
        (show or show_plan)(output.out, session.name, made)
    if made.interrupted or made.failures:
        if output.json:
            output.document(plan_document(session.name, made))
        finish(ExitCode.INTERRUPTED if made.interrupted else ExitCode.FAILED)
    if not consent.destructive:
        refuse_destructive(made.changes)
    if not made.empty and not consent.yes and not (ask or confirmed)(session.name):
        output.err.print("Nothing was changed.")
        finish(ExitCode.FAILED)
    with Journal(session.journal, command) as journal, stoppable(session.stop), output.progress() as progress:
        listener = tell_all(journal, progress)
        perform = perform or partial(execute, destructive=consent.destructive)
        result = perform(made, listener, Temporaries(listener), session.stop)
    if output.json:
        output.document(result_document(session.name, result))
    else:
        show_result(output.out, result)
    if result.interrupted:
        finish(ExitCode.INTERRUPTED)
    if not result.succeeded:
        finish(ExitCode.FAILED)


def confirmed(name: str) -> bool:
    """Asks before the changes are made. Raises UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm the changes", remedy="pass --yes to make them without asking")
    return click.confirm(f"Make these changes to {name}?", err=True)
