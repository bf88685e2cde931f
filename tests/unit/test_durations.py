"""How long steps will take, learned from journals, and how it is shown."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from setup_kit.engine.durations import learn
from setup_kit.engine.events import Event, Happening
from setup_kit.engine.journal import Journal
from setup_kit.engine.resource import Action, Change, Progress
from setup_kit.report.progress import ProgressView, time_of

CREATE = Change("sql_server/contoso", Action.CREATE)
UPDATE = Change("sql_server/contoso", Action.UPDATE, "tls")


def started(change: Change) -> Event:
    return Event(Happening.CHANGE_STARTED, change.resource, change=change)


def begun(resource: str) -> Event:
    return Event(Happening.STARTED, resource)


def ran(path: Path, *seconds: float, change: Change = CREATE) -> None:
    """A run for each of the seconds that the change took, with a check after it that took two."""
    for each in seconds:
        with Journal(path, "apply") as journal:
            journal(started(change))
            journal(Event(Happening.CHANGE_DONE, change.resource, change=change, seconds=each))
            journal(Event(Happening.DONE, change.resource, seconds=each + 1))
            journal(Event(Happening.DONE, "proof/login", seconds=2.0))


def test_a_step_takes_the_median_of_what_it_took_before(tmp_path: Path) -> None:
    journal = tmp_path / "dev" / "journal.jsonl"
    ran(journal, 60, 300, 75)
    ran(journal, 4, change=UPDATE)
    durations = learn(journal)
    assert durations.expected(started(CREATE)) == 75
    assert durations.expected(started(UPDATE)) == 4
    assert durations.expected(begun("proof/login")) == 2
    assert durations.expected(begun("sql_server/contoso")) is None


def test_a_new_environment_learns_from_those_beside_it_by_the_kind_of_resource(tmp_path: Path) -> None:
    ran(tmp_path / "dev" / "journal.jsonl", 60, 80)
    durations = learn(tmp_path / "prod" / "journal.jsonl")
    assert durations.expected(started(Change("sql_server/other", Action.CREATE))) == 70
    assert durations.expected(started(Change("key_vault/other", Action.CREATE))) is None


def test_a_line_that_a_kill_cut_off_is_passed_over(tmp_path: Path) -> None:
    journal = tmp_path / "dev" / "journal.jsonl"
    ran(journal, 10)
    with journal.open("ab") as file:
        file.write(b'{"time": "2026-11-28T')
    assert learn(journal).expected(started(CREATE)) == 10


@pytest.mark.parametrize(
    ("elapsed", "expected", "said"),
    [
        (12.2, 40.0, "12 s of about 40 s"),
        (90.0, 40.0, "90 s, mostly 40 s"),
        (130.0, 245.0, "2 min 10 s of about 4 min 05 s"),
        (1.0, 2.0, "1 s"),
        (7.0, None, "7 s"),
    ],
)
def test_times_are_said_in_few_words(elapsed: float, expected: float | None, said: str) -> None:
    assert time_of(elapsed, expected) == said


def test_the_terminal_shows_the_expected_time_within_eighty_columns(tmp_path: Path) -> None:
    journal = tmp_path / "dev" / "journal.jsonl"
    long = Change(f"sql_server/{'x' * 63}", Action.CREATE)
    ran(journal, 40, change=long)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    with ProgressView(console, durations=learn(journal)) as view:
        view(begun(long.resource))
        view(started(long))
        step = Progress("initial_sync/profile", "opportunity", 120_000, 1_200_000, "rows")
        view(Event(Happening.PROGRESS, step.resource, progress=step))
    assert "0 s of about 40 s" in screen.getvalue()
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert max(map(cell_len, re.split(r"[\r\n]", shown))) <= 80
