"""setup-kit status"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from setup_kit.cli.answer import Answer, addressed, tell
from setup_kit.cli.options import Chosen, Output, environments_options, output_options
from setup_kit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from setup_kit.cli.session import Session
    from setup_kit.engine.events import Listener
    from setup_kit.engine.planner import Plan


@click.command()
@environments_options
@output_options
def status(chosen: Chosen, output: Output) -> None:
    """Show where an environment stands: each resource against the file, and how far each entity's export is.

    A resource is as the file says, differs, is missing, or is unreadable from here.

    \b
    Examples:
      setup-kit status -e dev
      setup-kit status --all --output json
    """
    from setup_kit.cli.session import open_session, stoppable
    from setup_kit.engine.executor import reading

    if chosen.one is None:
        from setup_kit.cli.together import look

        def one(session: Session, given: str, listener: Listener) -> Answer:
            return _standing(session, reading(session.house.nodes, listener, session.stop))

        look(chosen, "status", output, one)
    else:
        with open_session(chosen.one) as session:
            with stoppable(session.stop), output.progress() as progress:
                made = reading(session.house.nodes, progress, session.stop)
            answer = _standing(session, made)
        tell(answer, output)


def _standing(session: Session, made: Plan) -> Answer:
    from setup_kit.engine.drift import Standing, drift
    from setup_kit.report.console import show_drift, show_failures
    from setup_kit.report.documents import status_document
    from setup_kit.report.profiles import show_statuses

    made = addressed(made, session)
    profile = session.house.profile_status()
    document = status_document(session.name, made, profile)

    def show(console: Console) -> None:
        show_drift(console, session.name, made)
        show_failures(console, made.failures, made.blocked)
        if profile is None:
            console.print("There is no profile yet.")
        else:
            console.print(f"\nProfile {profile['name']}: {profile['state']}")
            show_statuses(console, profile["entities"])

    standings = [each.standing for each in drift(made)]
    as_wanted = standings.count(Standing.AS_WANTED)
    code, word, next_ = ExitCode.DONE, "as wanted", ""
    if as_wanted < len(standings):
        word, next_ = "differs", "plan"
    if made.failures:
        code, word, next_ = ExitCode.FAILED, "failed", "doctor"
    if made.interrupted:
        code, word, next_ = ExitCode.INTERRUPTED, "interrupted", "status"
    return Answer(
        code,
        document,
        show,
        (lambda console: show_failures(console, made.failures, made.blocked)) if made.failures else None,
        word,
        {"as_wanted": as_wanted, "differ": len(standings) - as_wanted},
        next_,
    )
