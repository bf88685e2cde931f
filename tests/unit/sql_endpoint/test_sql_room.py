"""The docstrings by which a reader finds where something lives name every module there is."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import setup_kit.sandbox.sql as room

ROOM = Path(room.__file__).parent
SHELVES = ["", *sorted(folder.parent.name for folder in ROOM.glob("*/__init__.py"))]


@pytest.mark.parametrize("shelf", SHELVES)
def test_every_module_stands_in_the_docstring_of_its_shelf(shelf: str) -> None:
    described = importlib.import_module(f"{room.__name__}.{shelf}".rstrip(".")).__doc__ or ""
    named = set(re.findall(r"`(?:[a-z_]+\.)*([a-z_]+)", described))
    there = {file.stem for file in (ROOM / shelf).glob("*.py")} - {"__init__"}
    if not shelf:
        there |= set(SHELVES) - {""}
    assert there - named == set()


@pytest.mark.parametrize("shelf", SHELVES)
def test_no_docstring_names_a_module_that_is_gone(shelf: str) -> None:
    described = importlib.import_module(f"{room.__name__}.{shelf}".rstrip(".")).__doc__ or ""
    table = [line for line in described.splitlines() if line.startswith("`")]
    there = {file.stem for file in ROOM.rglob("*.py")} | set(SHELVES)
    for line in table:
        assert re.findall(r"`([a-z_]+)", line)[0] in there, line
