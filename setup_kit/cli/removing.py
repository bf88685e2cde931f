"""What the commands do that take something away: plan the removal, show what goes and what stays, ask, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

import click

from setup_kit.cli.answer import addressed
from setup_kit.cli.options import Output
from setup_kit.cli.session import Session, stoppable
from setup_kit.cli.work import Consent, Work, carry_out, changing, wait_option
from setup_kit.errors import KitError, UsageError

if TYPE_CHECKING:
    import threading

    from rich.console import Console

    from setup_kit.cli.session import Adjust
    from setup_kit.engine.events import Listener
    from setup_kit.engine.executor import Result, Temporaries
    from setup_kit.engine.removal import RemovalPlan
    from setup_kit.engine.resource import Node
    from setup_kit.report.documents import Document


class Removing(Work):
    """A removal; whoever gave the command and confirmed what it shows allowed what is destructive in it."""

    def __init__(self, session: Session, plan: RemovalPlan) -> None:
        self.removal = addressed(plan, session)
        super().__init__(session, self.removal, destructive=True)

    def show(self, console: Console) -> None:
        from setup_kit.report.removal import show_removal

        show_removal(console, self.session.name, self.removal)

    def document(self) -> Document:
        from setup_kit.report.removal import removal_document

        return removal_document(self.session.name, self.removal)

    def perform(self, listener: Listener, temporaries: Temporaries, stop: threading.Event) -> Result:
        from setup_kit.engine.removal import remove

        return remove(self.removal, listener, temporaries, stop)

    def told(self, result: Result) -> Document:
        return self.document() | super().told(result)


class RemovingPart(Removing):
    """The removal of what a command names: that it stays as a whole is a failure, not an outcome."""

    def refuse(self) -> None:
        staying = {node: why for node, why in self.removal.kept.items() if _there(node)}
        if self.removal.empty and staying:
            raise KitError(
                f"{', '.join(node.address for node in staying)} stays",
                why="\n".join(dict.fromkeys(staying.values())),
                remedy="take it away by hand, or where it was made from, if nobody needs it any more",
            )


def tell_left(session: Session, plan: RemovalPlan, output: Output) -> None:
    """Says, after a removal without the exported objects, what is to be done about them before the next `apply`."""
    from setup_kit.report.documents import typed
    from setup_kit.resources.existing_profile import leaving

    if text := leaving(session.house, plan.changes):
        output.err.print(typed(text, session.given), markup=False)


def _there(node: Node) -> bool:
    from setup_kit.engine.resource import Resource

    return isinstance(node, Resource) and node.observed is not None and node.lives(node.observed)


def take_away(
    environment: str,
    command: str,
    targets: Iterable[str],
    consent: Consent,
    output: Output,
    *,
    include_data: bool = False,
    open_ways: bool = False,
    adjust: Adjust | None = None,
) -> None:
    """Takes the resources of these address patterns away, and what is in them."""
    with changing(environment, command, consent.wait, adjust=adjust) as session:
        made = removal_planned(session, output, targets, include_data=include_data, open_ways=open_ways)
        carry_out(RemovingPart(session, made), command, output, yes=consent.yes)


def check_data(what: str, include_data: bool) -> None:
    """Raises UsageError unless whoever takes away what holds data said so."""
    if not include_data:
        raise UsageError(
            f"{what} holds data, which is lost with it",
            remedy="pass --include-data to take it away with its data; nothing was changed",
        )


include_data_option = click.option(
    "--include-data", is_flag=True, help="Yes, with all its data; without it nothing is taken away."
)


def removal_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --yes and --wait, handed to the command as one `consent: Consent`."""

    def wrapped(*arguments: Any, yes: bool, wait: float, **options: Any) -> Any:
        return function(*arguments, consent=Consent(yes, True, wait), **options)

    asked = click.option("--yes", is_flag=True, help="Do not ask; take away what would be shown.")
    return asked(wait_option(update_wrapper(wrapped, function)))


def removal_planned(
    session: Session,
    output: Output,
    targets: Iterable[str] = (),
    *,
    include_data: bool = False,
    open_ways: bool = False,
) -> RemovalPlan:
    """The removal of the resources of these address patterns, of all when there is none.

    With `open_ways` a temporary firewall rule is opened where it is needed to look, and removed again.
    """
    from setup_kit.engine.executor import Temporaries
    from setup_kit.engine.removal import make_removal
    from setup_kit.engine.selection import select

    every = session.house.nodes
    only = select(every, targets) if targets else None
    temporaries = Temporaries(lambda event: None)
    try:
        with stoppable(session.stop), output.progress() as progress:
            return make_removal(
                every,
                progress,
                session.stop,
                only=only,
                include_data=include_data,
                opening=temporaries.open if open_ways else None,
            )
    finally:
        if open_ways:
            temporaries.close_or_raise(every)
