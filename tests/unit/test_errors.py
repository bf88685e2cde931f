"""What the machine refuses is told by its place and how to mend it, and is no defect of the kit."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from setup_kit.engine.run_lock import run_lock
from setup_kit.errors import KitError, of_place, unforeseen


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EACCES, "the right to write"), (errno.EROFS, "another folder"), (errno.ENOSPC, "make room")],
)
def test_a_place_that_cannot_be_written_is_named_with_what_to_do(number: int, remedy: str) -> None:
    told = unforeseen(OSError(number, os.strerror(number), ".setup-kit/dev"))
    assert told.what == ".setup-kit/dev cannot be used"
    assert told.why == os.strerror(number)
    assert remedy in told.remedy
    assert "defect" not in told.remedy


def test_the_file_that_stands_in_a_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / ".setup-kit").touch()
    with pytest.raises(NotADirectoryError) as met:
        (tmp_path / ".setup-kit" / "dev" / "deep").mkdir(parents=True)
    told = of_place(met.value)
    assert told is not None
    assert told.what == f"{tmp_path / '.setup-kit'} cannot be used"


def test_a_folder_stands_where_the_lock_should_be(tmp_path: Path) -> None:
    (tmp_path / "run.lock").mkdir()
    with pytest.raises(KitError, match="cannot be used"), run_lock(tmp_path, "dev", "apply"):
        pass


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x"), ConnectionResetError(errno.ECONNRESET, "x")])
def test_any_other_error_is_a_defect_and_says_so(error: Exception) -> None:
    assert "defect" in unforeseen(error).remedy
