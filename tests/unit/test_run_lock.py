"""One run at a time: with a second process that really holds the lock."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from setup_kit.engine.journal import Journal
from setup_kit.engine.run_lock import run_lock
from setup_kit.errors import ExitCode, KitError

HOLD = """
import sys
from pathlib import Path
from setup_kit.engine.run_lock import run_lock
with run_lock(Path(sys.argv[1]), "dev", "rotate"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the lock of `tmp_path` until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_refused_with_who_holds_the_lock(other: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(KitError) as refused, run_lock(tmp_path, "dev", "apply"):
        pass
    assert refused.value.what == "another run is changing dev"
    assert f"process {other.pid}, setup-kit rotate, since 2" in refused.value.why
    assert refused.value.why.endswith(" UTC")
    assert "--wait" in refused.value.remedy
    assert refused.value.exit_code is ExitCode.FAILED


def test_a_run_that_waited_in_vain_says_how_long(other: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(KitError, match=r"also after 0\.2 seconds"), run_lock(tmp_path, "dev", "apply", wait=0.2):
        pass


def test_the_lock_goes_with_a_process_that_is_killed(other: subprocess.Popen[str], tmp_path: Path) -> None:
    other.kill()
    other.wait()
    with run_lock(tmp_path, "dev", "apply"):
        pass


def test_a_waiting_run_goes_on_when_the_other_ends(other: subprocess.Popen[str], tmp_path: Path) -> None:
    assert other.stdin is not None
    other.stdin.close()
    with run_lock(tmp_path, "dev", "apply", wait=60):
        assert (tmp_path / "run.json").stat().st_size
    assert not (tmp_path / "run.json").exists()


def test_another_environment_is_free(other: subprocess.Popen[str], tmp_path: Path) -> None:
    with run_lock(tmp_path / "prod", "prod", "apply"):
        pass


def test_the_folder_of_an_environment_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with run_lock(tmp_path / "locked", "dev", "apply"), Journal(tmp_path / "journal" / "journal.jsonl", "apply"):
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"locked": 0o700, "journal": 0o700}
