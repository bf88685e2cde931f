"""One command's work on one environment: the file loaded, the clients made, the graph built, all closed at the end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from setup_kit.environment.loading import Loaded
    from setup_kit.resources.build import House

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
    def journal(self) -> Path:
        return JOURNALS / self.loaded.name / "journal.jsonl"


@contextmanager
def open_session(environment: str, *, ask_password: bool = False, patient: bool = True) -> Iterator[Session]:
    """Loads the environment, builds its resources and closes the clients at the end. Nothing is sent yet.

    SIGTERM is treated like Ctrl-C, so that a stopped pipeline ends sanely too.
    """
    from setup_kit.environment.loading import load
    from setup_kit.resources.build import build

    loaded = load(environment)
    stop = threading.Event()
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    house = build(loaded, stop, ask_password=_prompt if ask_password else None, patient=patient)
    try:
        yield Session(loaded, house, stop)
    finally:
        house.close()
        signal.signal(signal.SIGTERM, previous)


def _prompt(login: str) -> str:
    answer: Any = click.prompt(f"Password of the SQL administrator {login}", hide_input=True, err=True)
    return str(answer)
