"""setup-kit rotate"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from setup_kit.cli.answer import Answer, of_plan, tell
from setup_kit.cli.options import Chosen, Output, environments_options, output_options
from setup_kit.cli.work import Consent, Work, carry_out, changing, wait_option
from setup_kit.errors import ExitCode, KitError

if TYPE_CHECKING:
    from setup_kit.cli.session import Session
    from setup_kit.engine.events import Listener
    from setup_kit.engine.executor import Result
    from setup_kit.engine.planner import Plan
    from setup_kit.engine.resource import Node
    from setup_kit.report.documents import Document
    from setup_kit.resources.secret_state import SecretState


class Age(click.ParamType[timedelta]):
    """A whole number and a unit: 90m, 12h, 30d, 4w."""

    name = "age"
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}  # noqa: RUF012 - never changed

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        read = re.fullmatch(r"([0-9]{1,4})([mhdw])", str(value))
        if read is None:
            self.fail(f"{value!r} is no age: write a whole number and m, h, d or w, such as 30d", param, ctx)
        return timedelta(**{self.units[read[2]]: int(read[1])})


@click.command()
@environments_options
@click.option("--every", type=Age(), metavar="AGE", help="Do nothing while the secret's version is younger, e.g. 30d.")
@click.option("--finish", "only_finish", is_flag=True, help="Only end a rotation that was cut short; begin none.")
@click.option(
    "--grace",
    type=click.IntRange(0, 3600),
    metavar="SECONDS",
    help="Keep the user before for so long after the switch; 60, as the service may use what it read for a minute.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; make the changes.")
@wait_option
@output_options
def rotate(
    chosen: Chosen,
    every: timedelta | None,
    only_finish: bool,
    grace: int | None,
    dry_run: bool,
    yes: bool,
    wait: float,
    output: Output,
) -> None:
    """Give the export service a new password, with no moment at which it holds a dead one.

    Two users take turns: the one that sql.export_user.name names and the same with _2 appended. The other one is made
    with a new password and all grants, and signs in; then a new version of the secret names it, and the service signs
    in with it; only then the user before is dropped, and what it owned is its successor's. A run that was killed is
    finished by the next one, or by apply. Older versions of the secret are left: their user is gone.

    \b
    Examples:
      setup-kit rotate -e dev
      setup-kit rotate -e dev --dry-run
      setup-kit rotate -e prod --every 30d --yes --output json
      setup-kit rotate --all --every 30d --yes
    """
    from setup_kit.cli.session import stoppable

    def prepare(session: Session, listener: Listener) -> Work | Answer:
        return _prepared(session, listener, every, only_finish=only_finish, grace=grace)

    if chosen.one is None:
        from setup_kit.cli.together import change

        change(chosen, "rotate", output, prepare, Consent(yes, True, wait), dry_run=dry_run)
        return
    with changing(chosen.one, "rotate", wait) as session:
        with stoppable(session.stop), output.progress() as progress:
            work = prepare(session, progress)
        if isinstance(work, Answer):
            tell(work, output)
        else:
            carry_out(work, "rotate", output, yes=yes, dry_run=dry_run)


def _prepared(
    session: Session, listener: Listener, every: timedelta | None, *, only_finish: bool, grace: int | None
) -> Work | Answer:
    from setup_kit.engine.executor import reading
    from setup_kit.resources.rotation import RotationEnd

    read = reading([session.house.secret], listener, session.stop)
    if read.interrupted:
        return replace(of_plan(session, read), show=lambda console: None, next="rotate")
    state = _state(session, read)
    nodes, reason = _work(session, state, every, only_finish=only_finish)
    if not nodes:
        document = {"environment": session.name, "rotated": False, "reason": reason, "user": state.user, "changes": []}
        return Answer(
            ExitCode.DONE, document, lambda console: console.print(f"Nothing to do: {reason}."), result="not due"
        )
    made = reading(nodes, listener, session.stop)
    for node in nodes:
        if grace is not None and isinstance(node, RotationEnd):
            node.grace = float(grace)
    return _Rotation(session, made, nodes, state.user)


class _Rotation(Work):
    def __init__(self, session: Session, plan: Plan, nodes: tuple[Node, ...], user: str) -> None:
        super().__init__(session, plan, destructive=True)
        self._nodes = nodes
        self._user = user

    def answer(self) -> Answer:
        planned = super().answer()
        return replace(planned, next="rotate") if planned.next == "apply" else planned

    def refuse(self) -> None:
        """A rotation rests on an environment that is as its file says, and changes nothing else."""
        planned = self.plan.planned.items()
        others = [change for node, item in planned if node not in self._nodes for change in item.changes]
        if others:
            places = ", ".join(dict.fromkeys(change.resource for change in others))
            raise KitError("the environment is not as its file says", why=f"what differs: {places}", remedy=_APPLY)

    def told(self, result: Result) -> Document:
        after = self.session.house.secret.observed
        user = self._user if after is None else after.user
        return {**super().told(result), "rotated": result.succeeded, "user": user}


def _state(session: Session, made: Plan) -> SecretState:
    """What the secret says. Raises what kept it from being read."""
    for failure in made.failures.values():
        raise failure
    state = session.house.secret.observed
    for item in made.deferred:
        if item.resource is session.house.secret:
            raise KitError("the secret cannot be rotated", why=item.reason, remedy=item.remedy or _APPLY)
    if state is None or (state.password is None and state.unreadable is None):
        raise KitError(
            f"the secret {session.house.secret.name} cannot be rotated",
            why="it is not there, is disabled, or holds no connection string with a password",
            remedy=_APPLY,
        )
    return state


def _work(
    session: Session, state: SecretState, every: timedelta | None, *, only_finish: bool
) -> tuple[tuple[Node, ...], str]:
    """The nodes that are to be done, or none and why."""
    from setup_kit.moment import readable
    from setup_kit.resources.secret_state import RETIRING, ROTATION

    phase = state.tags.get(ROTATION)
    if phase == RETIRING or (only_finish and phase is not None):
        return (session.house.rotation_end,), ""
    if only_finish:
        return (), "no rotation was cut short"
    if every is not None and phase is None and state.created is not None:
        due = state.created + every
        if datetime.now(UTC) < due:
            return (
                (),
                f"the secret's version is of {readable(state.created)} UTC and is due on {readable(due)} UTC",
            )
    return session.house.rotation(), ""


_APPLY = "run setup-kit apply first, which makes it so"
