"""The system procedures that are written in T-SQL, over the system views: the files `procedures_in_tsql/*.sql`.

They run like users' procedures, with the rights of who calls them, and anybody may.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from setup_kit.sandbox.sql import unsupported
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.storage.catalog import fold

_FOLDER = Path(__file__).with_name("procedures_in_tsql")


@cache
def _texts() -> Mapping[str, str]:
    """The text of each procedure by its name."""
    texts: dict[str, str] = {}
    for path in sorted(_FOLDER.glob("*.sql")):
        for text in path.read_text(encoding="utf-8").split("\nGO\n"):
            name = text[text.index("CREATE PROCEDURE") :].split(None, 3)[2]
            texts[fold(name)] = text
    return texts


def find(name: str) -> so.CreateProcedure | None:
    """The system procedure of a name, without regard to case; 40514 for one that is not carried out."""
    if unsupported.is_listed(fold(name)):
        raise unsupported.refused(fold(name))
    return _read(fold(name)) if fold(name) in _texts() else None


@cache
def _read(name: str) -> so.CreateProcedure:
    """Read once: what is compiled of a statement is kept by the statement."""
    statement = parser.parse_batch(_texts()[name])[0]
    assert isinstance(statement, so.CreateProcedure)  # noqa: S101 - the files hold nothing else
    return statement
