"""One command on several environments: all loaded first, then side by side, and one table of how each ended."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from setup_kit.cli.answer import Answer, of_error
from setup_kit.cli.options import Chosen, Output, finish
from setup_kit.cli.session import Session, session_on, stoppable
from setup_kit.cli.work import Consent, Work, perform
from setup_kit.errors import ExitCode, KitError, UsageError, unforeseen

if TYPE_CHECKING:
    from rich.console import Console

    from setup_kit.engine.events import Listener
    from setup_kit.environment.choosing import Selected
    from setup_kit.identity import Identity
    from setup_kit.report.documents import Document
    from setup_kit.report.together import Ending

# Of so many environments everything is shown without -v, of more only what went wrong.
FEW = 3

Look = Callable[[Session, str, "Listener"], Answer]
Prepare = Callable[[Session, "Listener"], "Work | Answer"]


def look(
    chosen: Chosen,
    command: str,
    output: Output,
    work: Look,
    *,
    apart: bool = False,
    own: bool = False,
    **opening: Any,
) -> None:
    """Has `work` look at each environment, handed its session, how it is named and who listens; ends the command.

    `apart` and `own` as for Fleet; `opening` goes to each session.
    """
    fleet = Fleet(chosen, command, output, apart=apart, own=own)

    def one(each: Selected, listener: Listener) -> Answer:
        with fleet.session(each, **opening) as session:
            return work(session, each.given, listener)

    fleet.run(one)
    fleet.end()


def change(
    chosen: Chosen, command: str, output: Output, prepare: Prepare, consent: Consent, *, dry_run: bool = False
) -> None:
    """Plans each environment, shows all plans, asks once, carries out what was shown, and ends the command.

    `prepare` says what is to be done in a session's environment, or answers at once. With `consent.yes` nobody waits
    for another one's plan. An environment that has come to need something that was not shown is not changed.
    """
    fleet = Fleet(chosen, command, output, apart=True, own=True)
    shown: dict[str, Document] = {}

    def plan_one(each: Selected, listener: Listener) -> Answer:
        with fleet.session(each) as session:
            work = prepare(session, listener)
            if isinstance(work, Answer):
                return work
            answer = work.answer()
            if answer.code is ExitCode.DONE:
                work.refuse()
                shown[each.name] = work.document()
            return _unchanged(answer, command)

    def change_one(each: Selected, listener: Listener) -> Answer:
        from setup_kit.engine.run_lock import run_lock

        with fleet.session(each) as session, run_lock(session.folder, each.name, command, wait=consent.wait):
            work = prepare(session, listener)
            if isinstance(work, Answer):
                return work
            answer = work.answer()
            if answer.code is not ExitCode.DONE:
                return _unchanged(answer, command)
            work.refuse()
            if each.name in shown:
                _refuse_more(each, shown[each.name], work.document())
            return perform(work, command, listener)

    if dry_run or not consent.yes:
        fleet.run(plan_one)
        going_on = [each for each in fleet.chosen if each.name in shown]
        if fleet.stop.is_set() and not dry_run:
            fleet.forget(going_on)
        if dry_run or not going_on or fleet.stop.is_set():
            fleet.end()
        if not output.json:
            fleet.show()
        needed = sum(bool(shown[each.name]["changes"] or shown[each.name]["deferred"]) for each in going_on)
        if needed and not _confirmed(needed):
            output.err.print("Nothing was changed.")
            finish(ExitCode.FAILED)
        fleet.run(change_one, only=going_on)
    else:
        fleet.run(change_one)
    fleet.end()


def _unchanged(answer: Answer, command: str) -> Answer:
    """The answer of a plan that was interrupted, where nothing is made of it; of any other, itself."""
    if answer.code is not ExitCode.INTERRUPTED:
        return answer

    def show(console: Console) -> None:
        console.print("[yellow]Interrupted.[/] Nothing was changed. Run the same command again.")

    return replace(answer, show=show, trouble=show, next=command)


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm the changes", remedy="pass --yes to make them without asking")
    return click.confirm(f"Make these changes to {count} environment{'' if count == 1 else 's'}?", err=True)


def _refuse_more(each: Selected, shown: Document, now: Document) -> None:
    """Raises KitError where there is something to do that was not shown when it was asked for."""
    from setup_kit.report.saved_plan import moved

    new = moved(shown, now)[1]
    if new:
        raise KitError(
            f"{each.name} has moved since its plan was shown; nothing was changed there",
            why="\n".join(f"+ {line}" for line in new),
            remedy=f"look at it again: setup-kit plan -e {each.given}",
        )


class Fleet:
    """The environments of one command, one signal that stops them all, and how each of them ended."""

    def __init__(self, chosen: Chosen, command: str, output: Output, *, apart: bool, own: bool = False) -> None:
        """Loads and checks every file; nothing is sent. Raises UsageError.

        With `apart`, those that share something go one after the other; with `own`, two that name the same secret,
        export user or profile are refused.
        """
        from setup_kit.environment.choosing import choose
        from setup_kit.environment.sharing import lanes, refuse_shared

        self.chosen = choose(chosen.given, every=chosen.every)
        if own:
            refuse_shared(self.chosen)
        self.stop = threading.Event()
        self._words = chosen.words
        self._command = command
        self._output = output
        self._parallel = chosen.parallel
        self._lanes = lanes(self.chosen) if apart else [[each] for each in self.chosen]
        self._identities: dict[tuple[object, ...], Identity] = {}
        self._lock = threading.Lock()
        self._endings: dict[str, Ending] = {}
        self._texts: dict[str, str] = {}

    @contextmanager
    def session(self, each: Selected, **opening: Any) -> Iterator[Session]:
        """Nobody is asked for a password: several would ask at once."""
        with session_on(each.loaded, stop=self.stop, identity=self._identity(each), **opening) as session:
            yield session

    def _identity(self, each: Selected) -> Identity:
        """One for all of a tenant: some credentials start a process for each token."""
        from setup_kit.environment.cloud import cloud_of
        from setup_kit.identity import Identity

        environment = each.loaded.environment
        cloud = cloud_of(environment)
        tenant = str(environment.tenant)
        key = (cloud.authority, cloud.resource_manager_audience, cloud.ca_file, tenant)
        with self._lock:
            return self._identities.setdefault(key, Identity(cloud, tenant))

    def run(self, work: Callable[[Selected, Listener], Answer], *, only: Sequence[Selected] | None = None) -> None:
        """Does the work on each, or on some; a failure of one is its own answer. Ctrl-C has none begun any more."""
        from setup_kit.report.side_by_side import SideBySide

        wanted = self.chosen if only is None else only
        lanes = [those for lane in self._lanes if (those := [each for each in lane if each in wanted])]

        def one(each: Selected) -> None:
            if self.stop.is_set():
                return
            begun = time.monotonic()
            answer = self._answer(work, each, view.begin(each.name))
            self._keep(each, answer, time.monotonic() - begun)
            view.end(self._endings[each.name])

        def down(lane: Sequence[Selected]) -> None:
            for each in lane:
                one(each)

        with (
            SideBySide(self._output.err, total=len(wanted), verbose=self._output.verbose) as view,
            stoppable(self.stop),
            ThreadPoolExecutor(self._parallel, thread_name_prefix="environment") as pool,
        ):
            self.forget(wanted)
            list(pool.map(down, lanes))

    def _answer(self, work: Callable[[Selected, Listener], Answer], each: Selected, listener: Listener) -> Answer:
        try:
            return work(each, listener)
        except KitError as error:
            from setup_kit.report.documents import addressed

            addressed(error, each.given)
            return of_error(error, self._command)
        except Exception as error:  # noqa: BLE001 - whatever one meets, the others go on
            return of_error(unforeseen(error), self._command)

    def _keep(self, each: Selected, answer: Answer, seconds: float) -> None:
        """Keeps what is told at the end, and nothing that an answer is made of: its clients and its graph go."""
        from setup_kit.report.console import make_console
        from setup_kit.report.together import Ending

        self._endings[each.name] = Ending(
            each.name,
            each.given,
            answer.code,
            answer.result,
            seconds,
            answer.counts,
            answer.next,
            answer.document if self._output.json else None,
        )
        whole = self._output.verbose or len(self.chosen) <= FEW
        show = answer.show if whole else answer.trouble
        if show is not None and not self._output.json:
            console = make_console(sys.stdout, color=self._output.color)
            with console.capture() as capture:
                show(console)
            self._texts[each.name] = capture.get()

    def forget(self, those: Sequence[Selected]) -> None:
        """As if they had not been begun."""
        for each in those:
            self._endings.pop(each.name, None)
            self._texts.pop(each.name, None)

    def show(self) -> None:
        """What there is to say of each, or only what went wrong where there are many; then the table."""
        from setup_kit.report.together import show_endings

        out = self._output.out
        for each in self.chosen:
            if each.name in self._texts:
                out.print(f"[bold]{each.name}[/]")
                click.echo(self._texts[each.name])
        show_endings(out, self._all(), every=self._words)

    def end(self) -> None:
        """Tells how each ended, and ends the command with the worst of their exit codes."""
        from setup_kit.report.together import together_document, worst

        endings = self._all()
        if self._output.json:
            self._output.document(together_document(self._command, endings))
        else:
            self.show()
        finish(worst(endings))

    def _all(self) -> list[Ending]:
        from setup_kit.report.together import Ending

        return [
            self._endings.get(each.name)
            or Ending(each.name, each.given, ExitCode.INTERRUPTED, "not begun", 0.0, next=self._command)
            for each in self.chosen
        ]
