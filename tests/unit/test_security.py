"""SECURITY.md names tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> list[list[str]]:
    lines = (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1:]]


def test_each_threat_has_who_what_against_it_and_a_test() -> None:
    assert len(rows()) > 10
    for row in rows():
        assert len(row) == 4, row
        assert all(row), row
        assert NAMED.sub("", row[3]).strip() == "", row[3]
        assert NAMED.search(row[3]), row


def test_every_test_that_is_named_is_there() -> None:
    missing = []
    for file, name in NAMED.findall((ROOT / "SECURITY.md").read_text(encoding="utf-8")):
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        if name not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{file}::{name}")
    assert missing == []
