"""A server that stands for a SQL Server on a virtual machine and not for one of Azure SQL Database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Host, Policy, Server, closing, number


@dataclass
class VirtualMachine(Policy):
    virtual_machine: bool = True


@pytest.fixture(scope="module")
def machine(host: Host) -> Server:
    return host.serve(VirtualMachine("machine", rules=[]))


@pytest.fixture
def first(machine: Server) -> str:
    return machine.database()


@pytest.fixture
def administrator(machine: Server, first: str) -> Iterator[pyodbc.Connection]:
    with closing(machine.connect(first)) as connection:
        yield connection


def test_it_says_what_it_is_and_has_no_firewall_of_its_own(administrator: pyodbc.Connection) -> None:
    row = administrator.execute(
        "SELECT CAST(SERVERPROPERTY('EngineEdition') AS int), CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(20)), "
        "@@VERSION"
    ).fetchone()
    assert tuple(row[:2]) == (3, "16.0.1000.6")
    assert row[2].startswith("Microsoft SQL Server 2022")
    assert administrator.getinfo(pyodbc.SQL_DBMS_VER).startswith("16.00.1000")


def test_use_goes_to_another_database_and_names_it(
    machine: Server, administrator: pyodbc.Connection, first: str
) -> None:
    second = machine.database()
    administrator.execute("CREATE TABLE dbo.t (a int)")
    cursor = administrator.execute(f"USE [{second}]")
    assert any(f"Changed database context to '{second}'." in text for _, text in cursor.messages)
    assert tuple(administrator.execute("SELECT DB_NAME(), OBJECT_ID('dbo.t')").fetchone()) == (second, None)
    assert administrator.getinfo(pyodbc.SQL_DATABASE_NAME) == second
    administrator.execute("CREATE TABLE dbo.u (a int); INSERT INTO dbo.u VALUES (1)")
    administrator.execute(f"USE [{first}]")
    administrator.execute("INSERT INTO dbo.t VALUES (1)")
    assert administrator.execute("SELECT count(*) FROM dbo.t").fetchone()[0] == 1


def test_use_of_what_is_not_there_leaves_the_session_where_it_is(administrator: pyodbc.Connection, first: str) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        administrator.execute("USE nowhere")
    assert number(caught.value) == 911
    assert administrator.execute("SELECT DB_NAME()").fetchone()[0] == first


def test_statements_on_the_server_are_taken_anywhere_and_beside_others(
    administrator: pyodbc.Connection, machine: Server
) -> None:
    administrator.execute("CREATE LOGIN walker WITH PASSWORD = 'Correct-Horse-9'; CREATE DATABASE [by walker]")
    administrator.execute("CREATE USER walker FOR LOGIN walker")
    home = administrator.execute("SELECT DB_NAME()").fetchone()[0]
    with closing(machine.connect(home, "walker", "Correct-Horse-9")) as connection:
        with pytest.raises(pyodbc.Error) as caught:
            connection.execute("USE [by walker]")
        assert number(caught.value) == 916
        assert tuple(connection.execute("SELECT DB_NAME(), USER_NAME()").fetchone()) == (home, "walker")
        administrator.execute("USE [by walker]; CREATE USER strider FOR LOGIN walker")
        connection.execute("USE [by walker]")
        assert tuple(connection.execute("SELECT DB_NAME(), USER_NAME()").fetchone()) == ("by walker", "strider")


def test_a_pooled_connection_begins_in_the_database_of_its_login(machine: Server, first: str) -> None:
    second = machine.database()
    with closing(machine.connect(first)) as connection:
        connection.execute(f"USE [{second}]")
        connection.execute("EXEC sp_reset_connection")
        assert connection.execute("SELECT DB_NAME()").fetchone()[0] == first


def test_use_in_a_text_holds_as_long_as_the_text_runs(
    machine: Server, administrator: pyodbc.Connection, first: str
) -> None:
    second = machine.database()
    administrator.execute(f"EXEC ('USE [{second}]; CREATE TABLE dbo.t (a int)')")
    assert tuple(administrator.execute("SELECT DB_NAME(), OBJECT_ID('dbo.t')").fetchone()) == (first, None)
    administrator.execute(f"USE [{second}]")
    assert administrator.execute("SELECT OBJECT_ID('dbo.t')").fetchone()[0] is not None


@pytest.mark.parametrize(
    ("before", "what"),
    [("BEGIN TRAN", "USE within a transaction"), ("CREATE TABLE #t (a int)", "USE beside temporary tables")],
)
def test_what_cannot_be_taken_along_is_refused_by_name(
    machine: Server, administrator: pyodbc.Connection, first: str, before: str, what: str
) -> None:
    second = machine.database()
    administrator.execute(before)
    with pytest.raises(pyodbc.Error, match=what):
        administrator.execute(f"USE [{second}]")
    assert administrator.execute("SELECT DB_NAME()").fetchone()[0] == first
