"""Firewall rules, the server's and a database's, set and looked at in T-SQL."""

from __future__ import annotations

import itertools

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Host, Policy, Rule, Server, closing, number

_LOCAL = "127.0.0.1"
_NUMBERS = itertools.count()


@pytest.fixture
def guarded(host: Host) -> Server:
    """A server of its own, open to 127.0.0.1, whose rules a test may change."""
    return host.serve(Policy(f"guarded-{next(_NUMBERS)}"))


def _rows(connection: pyodbc.Connection, view: str) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in connection.execute(f"SELECT name, start_ip_address, end_ip_address FROM {view}")]  # noqa: S608


def test_the_servers_rules_are_those_of_resource_manager(guarded: Server) -> None:
    with closing(guarded.connect()) as connection:
        assert _rows(connection, "sys.firewall_rules") == [("me", _LOCAL, _LOCAL)]
        connection.execute("EXEC sp_set_firewall_rule N'office', '10.0.0.1', '10.0.0.9'")
        assert guarded.policy.rules[-1] == Rule("office", "10.0.0.1", "10.0.0.9")
        connection.execute("EXECUTE sp_set_firewall_rule @name = N'office', @start_ip_address = '10.0.0.1', "
                           "@end_ip_address = '10.0.0.5'")  # fmt: skip
        assert ("office", "10.0.0.1", "10.0.0.5") in _rows(connection, "sys.firewall_rules")
        connection.execute("EXEC sys.sp_delete_firewall_rule N'office'")
        assert [rule.name for rule in guarded.policy.rules] == ["me"]


def test_a_databases_rule_admits_to_that_database_alone(guarded: Server) -> None:
    open_, shut = guarded.database(), guarded.database()
    user, password = guarded.user(open_)
    guarded.user(shut)
    with closing(guarded.connect(open_)) as connection:
        connection.execute(f"EXEC sp_set_database_firewall_rule N'here', '{_LOCAL}', '{_LOCAL}'")
        assert _rows(connection, "sys.database_firewall_rules") == [("here", _LOCAL, _LOCAL)]
    guarded.policy.rules.clear()
    with closing(guarded.connect(open_, user, password)) as connection:
        assert connection.execute("SELECT DB_NAME()").fetchval() == open_
    for refused in (shut, "master", "nowhere"):
        with pytest.raises(pyodbc.Error) as caught:
            guarded.connect(refused, user, password)
        assert number(caught.value) == 40615
    with closing(guarded.connect(open_)) as connection:
        connection.execute("EXEC sp_delete_database_firewall_rule N'here'")
    with pytest.raises(pyodbc.Error) as caught:
        guarded.connect(open_, user, password)
    assert number(caught.value) == 40615


def test_a_databases_rule_is_updated_and_rolled_back_with_its_transaction(guarded: Server) -> None:
    database = guarded.database()
    with closing(guarded.connect(database, autocommit=False)) as connection:
        connection.execute("EXEC sp_set_database_firewall_rule N'a', '0.0.0.4', '0.0.0.4'")
        connection.execute("EXEC sp_set_database_firewall_rule N'A', '0.0.0.4', '0.0.0.6'")
        connection.commit()
        connection.execute("EXEC sp_delete_database_firewall_rule N'a'")
        connection.rollback()
        assert _rows(connection, "sys.database_firewall_rules") == [("a", "0.0.0.4", "0.0.0.6")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("N'', '1.1.1.1', '1.1.1.1'", 40618),
        (f"N'{'x' * 129}', '1.1.1.1', '1.1.1.1'", 40617),
        ("N'x', '1.1.1.2', '1.1.1.1'", 40614),
        ("N'x', 'here', '1.1.1.1'", 40609),
        (f"N'x', '1.1.1.1', '{'1' * 51}'", 40610),
        ("N'x', '1.1.1.1'", 201),
    ],
)
def test_a_rule_that_cannot_be_is_refused(connection: pyodbc.Connection, arguments: str, expected: int) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(f"EXEC sp_set_database_firewall_rule {arguments}")
    assert number(caught.value) == expected


def test_only_administrators_set_rules(guarded: Server) -> None:
    database = guarded.database()
    user, password = guarded.user(database)
    with closing(guarded.connect(database, user, password)) as connection:
        for statement, expected in (
            ("EXEC sp_set_database_firewall_rule N'x', '1.1.1.1', '1.1.1.1'", 262),
            ("EXEC sp_delete_database_firewall_rule N'x'", 262),
            ("EXEC sp_set_firewall_rule N'x', '1.1.1.1', '1.1.1.1'", 40634),
        ):
            with pytest.raises(pyodbc.Error) as caught:
                connection.execute(statement)
            assert number(caught.value) == expected
        assert connection.execute("SELECT count(*) FROM sys.firewall_rules").fetchval() == 0


def test_sessions_are_seen_by_who_may_view_the_databases_state(guarded: Server) -> None:
    database = guarded.database()
    user, password = guarded.user(database)
    query = "SELECT session_id, login_name, status, database_id FROM sys.dm_exec_sessions ORDER BY session_id"
    with closing(guarded.connect(database)) as owner, closing(guarded.connect(database, user, password)) as other:
        own = other.execute("SELECT @@SPID").fetchval()
        mine = owner.execute("SELECT @@SPID").fetchval()
        assert [row.session_id for row in other.execute(query)] == [own]
        seen = {row.session_id: row for row in owner.execute(query)}
        assert (seen[own].login_name, seen[own].status) == (user, "sleeping")
        assert seen[mine].status == "running"
        assert [row.session_id for row in owner.execute("SELECT session_id FROM sys.dm_exec_requests")] == [mine]
        assert {row.encrypt_option for row in owner.execute("SELECT * FROM sys.dm_exec_connections")} == {"TRUE"}
        with pytest.raises(pyodbc.Error) as caught:
            other.execute("SELECT * FROM sys.dm_exec_connections")
        assert number(caught.value) == 262
