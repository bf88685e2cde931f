"""One command's work on one environment: the file loaded, the clients made, the graph built, all closed at the end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from setup_kit.errors import ExitCode

if TYPE_CHECKING:
    from datetime import timedelta

    from setup_kit.environment.loading import Loaded
    from setup_kit.identity import Identity
    from setup_kit.resources.build import House

    Adjust = Callable[[Loaded], Loaded]

# Beside the environment files, in the folder one works in; kept out of version control.
JOURNALS = Path(".setup-kit")


@dataclass(frozen=True)
class Session:
    loaded: Loaded
    house: House
    stop: threading.Event

    @property
    def name(self) -> str:
        return self.loaded.name

    @property
    def given(self) -> str:
        """What one types after -e for it."""
        from setup_kit.environment.loading import FOLDER
        from setup_kit.environment.problems import displayed

        path = self.loaded.path
        return self.name if path.parent == Path.cwd() / FOLDER else str(displayed(path))

    @property
    def folder(self) -> Path:
        return JOURNALS / self.loaded.name

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"


@contextmanager
def open_session(
    environment: str,
    *,
    ask_password: bool = False,
    patient: bool = True,
    fresh: timedelta | None = None,
    drop_objects: bool = False,
    adjust: Adjust | None = None,
) -> Iterator[Session]:
    """Loads the environment, builds its resources and closes the clients at the end. Nothing is sent yet.

    `adjust` changes what was loaded before anything is built.
    """
    from setup_kit.environment.loading import load

    loaded = load(environment)
    if adjust is not None:
        loaded = adjust(loaded)
    ask = _prompt if ask_password else None
    with session_on(loaded, ask=ask, patient=patient, fresh=fresh, drop_objects=drop_objects) as session:
        yield session


@contextmanager
def session_on(
    loaded: Loaded,
    *,
    stop: threading.Event | None = None,
    ask: Callable[[str], str] | None = None,
    patient: bool = True,
    fresh: timedelta | None = None,
    drop_objects: bool = False,
    identity: Identity | None = None,
) -> Iterator[Session]:
    """The same on an environment that was loaded; `stop` and `identity` are those that several share."""
    from setup_kit.resources.build import build

    stop = stop or threading.Event()
    house = build(
        loaded, stop, ask_password=ask, patient=patient, fresh=fresh, drop_objects=drop_objects, identity=identity
    )
    try:
        yield Session(loaded, house, stop)
    finally:
        house.close()


@contextmanager
def stoppable(stop: threading.Event) -> Iterator[None]:
    """While it is entered, Ctrl-C and SIGTERM set `stop`: what is in flight ends, then the command does.

    The second one leaves at once; what is half-done then, the next run finishes.
    """

    def handle(number: int, frame: object) -> None:
        again = stop.is_set()
        stop.set()
        # Nobody may be reading any more; that is no reason not to stop.
        with suppress(OSError):
            if not again:
                os.write(2, b"\nStopping when what is in flight has ended. Once more leaves at once.\n")
            elif os.isatty(2):
                os.write(2, b"\x1b[?25h\n")  # the cursor, which the progress display hides
        if again:
            os._exit(ExitCode.INTERRUPTED)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _prompt(login: str) -> str:
    answer: Any = click.prompt(f"Password of the SQL administrator {login}", hide_input=True, err=True)
    return str(answer)
