"""The procedures by which a person looks at a database: sp_help and its kin."""

from __future__ import annotations

from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number


@pytest.fixture
def items(connection: pyodbc.Connection) -> pyodbc.Connection:
    connection.execute(
        "CREATE TABLE dbo.items (id int IDENTITY(1, 1) PRIMARY KEY, name nvarchar(30) NULL, n decimal(9, 2))"
    )
    connection.execute("CREATE UNIQUE INDEX ux_name ON dbo.items (name, n)")
    connection.execute("CREATE PROCEDURE dbo.add_one\n  @n int,\n  @out int OUTPUT\nAS\nSET @out = @n + 1")
    return connection


def _sets(connection: pyodbc.Connection, sql: str) -> list[list[tuple[Any, ...]]]:
    """Every result set, each with the names of its columns in front."""
    cursor = connection.execute(sql)
    found = []
    while True:
        if cursor.description:
            names = tuple(column[0] for column in cursor.description)
            found.append([names, *(tuple(row) for row in cursor.fetchall())])
        if not cursor.nextset():
            return found


def test_help_describes_a_table(items: pyodbc.Connection) -> None:
    heading, columns, identity, rowguid, filegroup, indexes = _sets(items, "EXEC sp_help 'dbo.items'")
    assert heading[0] == ("Name", "Owner", "Type", "Created_datetime")
    assert heading[1][:3] == ("items", "dbo", "user table")
    assert [row[:4] for row in columns[1:]] == [
        ("id", "int", "no", 4), ("name", "nvarchar", "no", 60), ("n", "decimal", "no", 5),
    ]  # fmt: skip
    assert [row[4:7] for row in columns[1:]] == [
        ("10   ", "0    ", "no"), ("     ", "     ", "yes"), ("9    ", "2    ", "yes"),
    ]  # fmt: skip
    assert identity[1][0] == "id"
    assert rowguid[1] == ("No rowguidcol column defined.",)
    assert filegroup[1] == ("PRIMARY",)
    assert indexes[0] == ("index_name", "index_description", "index_keys")
    assert ("ux_name", "nonclustered, unique located on PRIMARY", "name, n") in indexes


def test_help_without_a_name_lists_objects_and_types(items: pyodbc.Connection) -> None:
    objects, types = _sets(items, "EXEC sp_help")
    assert ("items", "dbo", "user table") in objects
    assert types[0][0] == "User_type"


def test_help_describes_a_procedures_parameters(items: pyodbc.Connection) -> None:
    _, parameters = _sets(items, "EXEC sp_help add_one")
    assert [row[:2] for row in parameters[1:]] == [("@n", "int"), ("@out", "int")]


def test_helptext_gives_the_definition_line_by_line(items: pyodbc.Connection) -> None:
    lines = [row.Text for row in items.execute("EXEC sp_helptext 'dbo.add_one'")]
    assert "".join(lines) == "CREATE PROCEDURE dbo.add_one\n  @n int,\n  @out int OUTPUT\nAS\nSET @out = @n + 1"
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("call", "expected", "text"),
    [
        ("sp_help nowhere", 15009, "The object 'nowhere' does not exist in database '"),
        ("sp_helptext 'dbo.items'", 15197, "There is no text for object 'dbo.items'."),
        ("sp_helprolemember nobody", 15409, "'nobody' is not a role."),
        ("sp_helpuser nobody", 15198, "The name supplied (nobody) is not a user, role, or aliased login."),
        ("sp_spaceused nowhere", 15009, "nowhere"),
    ],
)
def test_what_is_not_there_is_named(items: pyodbc.Connection, call: str, expected: int, text: str) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        items.execute(f"EXEC {call}").fetchall()
    assert (number(caught.value), text in str(caught.value)) == (expected, True)


def test_spaceused_counts_rows(items: pyodbc.Connection) -> None:
    items.execute("INSERT INTO dbo.items (name) VALUES (N'a'), (N'b'), (N'c')")
    (row,) = items.execute("EXEC sp_spaceused 'dbo.items'").fetchall()
    assert (row.name, row.rows.strip()) == ("items", "3")
    assert len(_sets(items, "EXEC sp_spaceused")) == 2


def test_who_lists_sessions(items: pyodbc.Connection) -> None:
    own = items.execute("SELECT @@SPID").fetchval()
    assert own in [row.spid for row in items.execute("EXEC sp_who").fetchall()]


def test_members_users_roles_and_grants_are_listed(items: pyodbc.Connection, server: Server, database: str) -> None:
    user, _ = server.user(database)
    items.execute(f"EXEC sp_addrolemember 'db_datareader', '{user}'")
    items.execute(f"GRANT SELECT ON dbo.items TO [{user}]")
    found = items.execute("EXEC sp_helprolemember 'db_datareader'").fetchall()
    assert [(row.DbRole, row.MemberName) for row in found] == [("db_datareader", user)]
    (row,) = items.execute(f"EXEC sp_helpuser '{user}'").fetchall()
    assert (row.UserName, row.RoleName) == (user, "db_datareader")
    assert "db_owner" in [row.RoleName for row in items.execute("EXEC sp_helprole").fetchall()]
    (row,) = items.execute("EXEC sp_helprotect 'dbo.items'").fetchall()
    assert (row.Object, row.Grantee, row.ProtectType, row.Action) == ("items", user, "Grant", "SELECT")
    items.execute(f"EXEC sp_droprolemember 'db_datareader', '{user}'")
    assert items.execute("EXEC sp_helprolemember 'db_datareader'").fetchall() == []


def test_a_user_sees_only_what_may_be_seen(items: pyodbc.Connection, server: Server, database: str) -> None:
    user, password = server.user(database)
    with closing(server.connect(database, user, password)) as connection:
        with pytest.raises(pyodbc.Error) as caught:
            connection.execute("EXEC sp_help 'dbo.items'")
        assert number(caught.value) == 15009
        assert connection.execute("SELECT OBJECT_ID('dbo.items')").fetchval() is None
