"""A run that is killed leaves nothing that the next run cannot finish."""

from __future__ import annotations

import signal
import threading

import pytest

from tests.sandbox.job.end_state import end_state
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import GLANCE, JOURNAL, Boundary, lines_of, prepare, trial


@pytest.mark.parametrize("line", [17, 48])
def test_a_killed_apply_run_again_ends_like_an_undisturbed_one(kit: Kit, line: int) -> None:
    if not kit.path("undisturbed").exists():
        prepare(kit, "undisturbed")
        kit.apply("undisturbed").succeeded()
    assert trial(kit, f"kill{line}", Boundary(JOURNAL, line), end_state(kit, "undisturbed")) == ""


def test_ctrl_c_ends_sanely_with_130_and_the_next_run_finishes(kit: Kit) -> None:
    prepare(kit, "ctrlc")
    process = kit.start("apply", "-e", "ctrlc", "--yes")
    journal = kit.folder / ".setup-kit" / "ctrlc" / "journal.jsonl"
    glances = threading.Event()
    while lines_of(journal) < 6:
        glances.wait(GLANCE)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    kit.apply("ctrlc").succeeded()
