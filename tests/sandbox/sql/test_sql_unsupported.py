"""What the server does not carry out is refused by name, and the list that the help shows is true."""

from __future__ import annotations

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest
from click.testing import CliRunner

from setup_kit.cli.sandbox import sandbox
from setup_kit.sandbox.sql import unsupported
from tests.sandbox.sql.conftest import Server, closing, number

SHOWN = [entry for entry in unsupported.ENTRIES.values() if entry.example]


@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry.name)
def test_each_listed_thing_is_refused_with_its_number(
    server: Server, database: str, entry: unsupported.Unsupported
) -> None:  # fmt: skip
    in_master = entry.name.startswith(("CREATE LOGIN", "ALTER LOGIN", "CREATE DATABASE", "ALTER SERVER"))
    with closing(server.connect("master" if in_master else database)) as connection:
        with pytest.raises(pyodbc.Error) as caught:
            cursor = connection.execute(entry.example)
            while cursor.nextset():
                pass
        assert (number(caught.value), entry.name in str(caught.value)) == (entry.number, True), caught.value


def test_what_has_no_example_is_asked_for_by_messages_alone() -> None:
    silent = {entry.name for entry in unsupported.ENTRIES.values() if not entry.example}
    assert silent == {
        "Always Encrypted parameter", "RPC with NoExecFlag", "TDS before 7.3", "USE beside temporary tables",
        "USE within a transaction", "change of the password at login", "unpaired surrogate", "CLR",
        "sql_variant of another type",
    }  # fmt: skip


def test_the_help_prints_the_table() -> None:
    shown = CliRunner().invoke(sandbox, ["sql"]).output
    assert all(entry.name in shown for entry in unsupported.ENTRIES.values())
    assert "40510" in shown
