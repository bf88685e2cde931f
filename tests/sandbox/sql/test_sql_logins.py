"""Logins, contained users, their passwords and names."""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

import logging
from pathlib import Path

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.sandbox.sql.conftest import Server, closing, number

PASSWORD = "Export-Pass-123"
HOSTILE = ["x]; DROP TABLE t--", "o'brien", "Ünïcode 表", 'a"b', "[a]]b]", "--", "N'x'", " leading", "sp_who", "a.b"]


def identifier(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def literal(text: str) -> str:
    return "N'" + text.replace("'", "''") + "'"


def refused(connection: pyodbc.Connection, statement: str) -> int:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(statement)
    return number(caught.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_login_and_its_user_carry_exactly_the_name_they_were_given(server: Server, name: str) -> None:
    database = server.database()
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN {identifier(name)} WITH PASSWORD = {literal(PASSWORD)}")
        found = master.execute("SELECT name FROM sys.sql_logins WHERE name = ?", name).fetchall()
        assert [row[0] for row in found] == [name]
    with closing(server.connect(database)) as connection:
        user = identifier(name)
        connection.execute(f"CREATE USER {user} FOR LOGIN {user} WITH DEFAULT_SCHEMA = [dbo]")
        connection.execute(f"CREATE SCHEMA {user}")
        connection.execute(f"GRANT SELECT ON SCHEMA::{user} TO {user}")
    if ";" not in name:  # the driver's own connection string cannot hold every name
        with closing(server.connect(database, name, PASSWORD)) as connection:
            assert connection.execute("SELECT USER_NAME()").fetchone()[0] == name
            asked = connection.execute(f"SELECT HAS_PERMS_BY_NAME({literal(identifier(name))}, 'SCHEMA', 'SELECT')")
            assert asked.fetchone()[0] == 1
    with closing(server.connect(database)) as connection:
        connection.execute(f"DROP SCHEMA {identifier(name)}")
        connection.execute(f"DROP USER {identifier(name)}")
    with closing(server.connect()) as master:
        master.execute(f"DROP LOGIN {identifier(name)}")
        assert not master.execute("SELECT name FROM sys.sql_logins WHERE name = ?", name).fetchall()


# Control characters and unpaired surrogates have no place in a name; everything else has. A table whose name begins
# with # is a temporary one.
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(
    lambda name: name == name.rstrip(" ") and "\\" not in name and not name.startswith("#")
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@example(name="a#b", text="#")
@example(name="x]; DROP TABLE t--", text="'; DROP TABLE t--")
def test_any_name_and_any_text_come_back_as_they_were(connection: pyodbc.Connection, name: str, text: str) -> None:
    table = identifier(name)
    connection.execute(f"CREATE TABLE dbo.{table} ({table} nvarchar(max))")
    try:
        connection.execute(f"INSERT INTO dbo.{table} ({table}) VALUES ({literal(text)})")
        connection.execute(f"INSERT INTO dbo.{table} VALUES (?)", text)
        cursor = connection.execute(f"SELECT * FROM dbo.{table}")
        assert cursor.description[0][0] == name
        assert [row[0] for row in cursor.fetchall()] == [text, text]
        assert connection.execute("SELECT name FROM sys.tables WHERE name = ?", name).fetchone()[0] == name
    finally:
        connection.execute(f"DROP TABLE dbo.{table}")


@pytest.mark.parametrize(
    ("password", "expected"),
    [("Ab1-", 40630), ("alllowercase", 40632), ("Abcdefgh", 40632), ("Ab1-" * 40, 40631), ("Somebody-1234", 40632)],
)
def test_a_password_must_meet_the_rules(server: Server, password: str, expected: int) -> None:
    with closing(server.connect()) as master:
        assert refused(master, f"CREATE LOGIN somebody WITH PASSWORD = {literal(password)}") == expected


def test_a_changed_password_holds_at_once_and_the_old_one_no_longer(server: Server, database: str) -> None:
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN rotated WITH PASSWORD = '{PASSWORD}'")
        with closing(server.connect(database)) as connection:
            connection.execute("CREATE USER rotated FOR LOGIN rotated")
        server.connect(database, "rotated", PASSWORD).close()
        master.execute("ALTER LOGIN rotated WITH PASSWORD = N'Another-Pass-456'")
    server.connect(database, "rotated", "Another-Pass-456").close()
    with pytest.raises(pyodbc.Error) as caught:
        server.connect(database, "rotated", PASSWORD)
    assert number(caught.value) == 18456


def test_a_login_without_a_user_in_the_database_cannot_open_it(server: Server, database: str) -> None:
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN homeless WITH PASSWORD = '{PASSWORD}'")
    for name in (database, "master"):
        with pytest.raises(pyodbc.Error) as caught:
            server.connect(name, "homeless", PASSWORD)
        assert number(caught.value) == 4060


def test_a_contained_user_belongs_to_its_database_alone(server: Server, database: str) -> None:
    name, password = server.user(database, "contained")
    with closing(server.connect(database, name, password)) as connection:
        assert tuple(connection.execute("SELECT USER_NAME(), SUSER_SNAME()").fetchone()) == (name, name)
    other = server.database()
    with pytest.raises(pyodbc.Error) as caught:
        server.connect(other, name, password)
    assert number(caught.value) == 18456
    with closing(server.connect(database)) as connection:
        row = connection.execute("SELECT authentication_type_desc FROM sys.database_principals WHERE name = ?", name)
        assert row.fetchone()[0] == "DATABASE"
        connection.execute(f"ALTER USER [{name}] WITH PASSWORD = N'Another-Pass-456'")
    server.connect(database, name, "Another-Pass-456").close()


def test_a_user_moves_to_another_login(server: Server, database: str) -> None:
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN first WITH PASSWORD = '{PASSWORD}'")
        master.execute(f"CREATE LOGIN second WITH PASSWORD = '{PASSWORD}'")
    with closing(server.connect(database)) as connection:
        connection.execute("CREATE USER moved FOR LOGIN first")
        connection.execute("ALTER USER moved WITH LOGIN = second")
    with closing(server.connect(database, "second", PASSWORD)) as connection:
        assert connection.execute("SELECT USER_NAME()").fetchone()[0] == "moved"
    with pytest.raises(pyodbc.Error):
        server.connect(database, "first", PASSWORD)


def test_names_that_are_taken_or_missing_are_told_apart(server: Server, database: str) -> None:
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN taken WITH PASSWORD = '{PASSWORD}'")
        assert refused(master, f"CREATE LOGIN TAKEN WITH PASSWORD = '{PASSWORD}'") == 15025
        assert refused(master, "DROP LOGIN missing") == 15151
        assert refused(master, f"ALTER LOGIN missing WITH PASSWORD = '{PASSWORD}'") == 15151
        assert refused(master, f"CREATE LOGIN admin WITH PASSWORD = '{PASSWORD}'") == 15405
    with closing(server.connect(database)) as connection:
        connection.execute("CREATE USER taken FOR LOGIN taken")
        assert refused(connection, "CREATE USER taken WITHOUT LOGIN") == 15023
        assert refused(connection, "CREATE USER again FOR LOGIN taken") == 15063
        assert refused(connection, "CREATE USER lost FOR LOGIN missing") == 15007
        assert refused(connection, "DROP USER missing") == 15151
        connection.execute("DROP USER IF EXISTS missing")
        assert refused(connection, "GRANT SELECT TO missing") == 15151
        assert refused(connection, "GRANT SELECT ON SCHEMA::missing TO taken") == 15151


def test_a_user_that_owns_a_schema_stays(server: Server, database: str) -> None:
    with closing(server.connect(database)) as connection:
        connection.execute("CREATE USER owner1 WITHOUT LOGIN")
        connection.execute("CREATE SCHEMA owned AUTHORIZATION owner1")
        assert refused(connection, "DROP USER owner1") == 15138


def test_a_login_that_is_logged_in_cannot_be_dropped(server: Server, database: str) -> None:
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN busy WITH PASSWORD = '{PASSWORD}'")
        with closing(server.connect(database)) as connection:
            connection.execute("CREATE USER busy FOR LOGIN busy")
        with closing(server.connect(database, "busy", PASSWORD)):
            assert refused(master, "DROP LOGIN busy") == 15434


def test_logins_are_made_in_master_and_alone_in_their_batch(server: Server, connection: pyodbc.Connection) -> None:
    statement = f"CREATE LOGIN elsewhere WITH PASSWORD = '{PASSWORD}'"
    assert refused(connection, statement) == 5001
    with closing(server.connect()) as master:
        assert refused(master, f"SELECT 1; {statement}") == 40530
        assert refused(master, "CREATE DATABASE one SELECT 1") != 0


def test_an_ordinary_login_sees_only_itself_and_makes_no_others(server: Server) -> None:
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN plain WITH PASSWORD = '{PASSWORD}'")
        master.execute("CREATE USER plain FOR LOGIN plain")
    with closing(server.connect("master", "plain", PASSWORD)) as connection:
        assert [row[0] for row in connection.execute("SELECT name FROM sys.sql_logins").fetchall()] == ["plain"]
        assert refused(connection, f"CREATE LOGIN more WITH PASSWORD = '{PASSWORD}'") == 15247
    with closing(server.connect()) as master:
        master.execute("ALTER ROLE loginmanager ADD MEMBER plain")
    with closing(server.connect("master", "plain", PASSWORD)) as connection:
        connection.execute(f"CREATE LOGIN more WITH PASSWORD = '{PASSWORD}'")


def test_a_member_of_dbmanager_makes_databases_and_is_dbo_in_them(server: Server, database: str) -> None:
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN maker WITH PASSWORD = '{PASSWORD}'")
        master.execute("CREATE USER maker FOR LOGIN maker")
        with closing(server.connect("master", "maker", PASSWORD)) as connection:
            assert refused(connection, "CREATE DATABASE made") == 262
            assert refused(connection, f"DROP DATABASE [{database}]") == 3701
        master.execute("ALTER ROLE dbmanager ADD MEMBER maker")
    with closing(server.connect("master", "maker", PASSWORD)) as connection:
        connection.execute("CREATE DATABASE made")
        assert refused(connection, f"CREATE LOGIN more WITH PASSWORD = '{PASSWORD}'") == 15247
    with closing(server.connect("made", "maker", PASSWORD)) as connection:
        assert connection.execute("SELECT USER_NAME()").fetchone()[0] == "dbo"
        connection.execute("CREATE TABLE dbo.t (a int)")
        assert refused(connection, f"CREATE LOGIN more WITH PASSWORD = '{PASSWORD}'") == 5001
    with pytest.raises(pyodbc.Error) as caught:
        server.connect(database, "maker", PASSWORD)
    assert number(caught.value) == 4060
    with closing(server.connect("master", "maker", PASSWORD)) as connection:
        connection.execute("DROP DATABASE made")


def test_no_password_lies_in_the_files_in_clear(server: Server, database: str) -> None:
    secret = "Very-Secret-Word-77"
    server.user(database, "careful", secret)
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN careful WITH PASSWORD = N'{secret}'")
    files = list(Path(server.host.directory).rglob("*.sqlite*"))
    assert files
    for path in files:
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # SQLite removes its helper files when the last session closes
            continue
        assert secret.encode() not in data
        assert secret.encode("utf-16-le") not in data


def test_a_refused_login_says_why_to_the_servers_log_only(
    server: Server, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    name, _ = server.user(database, "watched")
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN parked WITH PASSWORD = '{PASSWORD}'")
        master.execute("ALTER LOGIN parked DISABLE")
    caplog.set_level(logging.INFO, "setup_kit.sandbox.sql")
    for user, password, number_, state in (
        ("stranger", PASSWORD, 18456, 5), (name, "Wrong-Pass-1", 18456, 8), ("parked", "Wrong-Pass-1", 18456, 7),
        ("parked", PASSWORD, 18470, 1),
    ):  # fmt: skip
        caplog.clear()
        with pytest.raises(pyodbc.Error) as caught:
            server.connect(database, user, password)
        assert number(caught.value) == number_
        assert f"a login was refused: error {number_}, state {state}" in caplog.text
        assert password not in caplog.text


def test_a_login_without_a_user_in_master_must_name_its_database(server: Server) -> None:
    with closing(server.connect()) as master:
        master.execute(f"CREATE LOGIN nowhere WITH PASSWORD = '{PASSWORD}'")
    with pytest.raises(pyodbc.Error) as caught:
        server.connect("", "nowhere", PASSWORD)
    assert number(caught.value) == 4064  # the one of 916, 4064 and 18456 that the driver puts first
