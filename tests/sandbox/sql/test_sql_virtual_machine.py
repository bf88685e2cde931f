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
    contained_authentication: bool = True


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


def refusal(connection: pyodbc.Connection, text: str) -> int:
    """SQL Server's number of what it answers to a batch that it refuses."""
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(text)
    return number(caught.value)


def test_a_procedure_of_another_database_works_there(
    machine: Server, administrator: pyodbc.Connection, first: str
) -> None:
    administrator.execute(
        "CREATE DATABASE [marked one]; "
        "EXEC [marked one].sys.sp_addextendedproperty @name = N'setup-kit', @value = N'prod'"
    )
    assert administrator.execute("SELECT DB_NAME()").fetchone()[0] == first
    assert administrator.execute("SELECT count(*) FROM sys.extended_properties").fetchone()[0] == 0
    query = "SELECT class, class_desc, major_id, name, CAST(value AS nvarchar(99)) FROM sys.extended_properties"
    with closing(machine.connect("marked one")) as connection:
        assert [tuple(row) for row in connection.execute(query)] == [(0, "DATABASE", 0, "setup-kit", "prod")]
        assert refusal(connection, "EXEC sp_addextendedproperty N'SETUP-KIT', N'again'") == 15233
        connection.execute("EXEC sp_updateextendedproperty N'setup-kit', N'test'")
        assert connection.execute(query).fetchone()[4] == "test"
        connection.execute("EXEC sp_dropextendedproperty @name = N'setup-kit'")
        assert connection.execute(query).fetchall() == []
        assert refusal(connection, "EXEC sp_dropextendedproperty N'setup-kit'") == 15217
    assert refusal(administrator, "EXEC [nowhere].sys.sp_addextendedproperty N'a', N'b'") == 911


def test_in_azure_no_procedure_of_another_database_is_reached(server: Server, database: str) -> None:
    with closing(server.connect(database)) as connection:
        assert refusal(connection, "EXEC master.sys.sp_addextendedproperty N'a', N'b'") == 40515
        connection.execute(f"EXEC [{database}].sys.sp_addextendedproperty N'a', N'b'")


def test_only_who_may_alter_the_database_gives_it_a_property(
    machine: Server, administrator: pyodbc.Connection, first: str
) -> None:
    administrator.execute("CREATE LOGIN reader WITH PASSWORD = 'Correct-Horse-9'; CREATE USER reader FOR LOGIN reader")
    with closing(machine.connect(first, "reader", "Correct-Horse-9")) as connection:
        assert refusal(connection, "EXEC sp_addextendedproperty N'a', N'b'") == 15247


def test_a_database_that_somebody_is_in_is_dropped_when_it_is_taken_alone(
    machine: Server, administrator: pyodbc.Connection
) -> None:
    administrator.execute("CREATE DATABASE [in use]")
    with closing(machine.connect("in use")) as other:
        other.execute("CREATE TABLE t (a int)")
        assert refusal(administrator, "DROP DATABASE [in use]") == 3702
        administrator.execute("ALTER DATABASE [in use] SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        with pytest.raises(pyodbc.Error):
            other.execute("SELECT 1")
    with closing(machine.connect("in use")):
        with pytest.raises(pyodbc.Error, match="4060"):
            machine.connect("in use")
        assert refusal(administrator, "USE [in use]") == 924
    administrator.execute("ALTER DATABASE [in use] SET MULTI_USER")
    with closing(machine.connect("in use")), closing(machine.connect("in use")):
        pass
    administrator.execute(
        "IF DB_ID(N'in use') IS NOT NULL BEGIN ALTER DATABASE [in use] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; "
        "DROP DATABASE [in use]; END"
    )
    assert administrator.execute("SELECT DB_ID(N'in use')").fetchone()[0] is None


def test_only_a_contained_database_has_users_with_passwords(machine: Server, administrator: pyodbc.Connection) -> None:
    user = "CREATE USER keeper WITH PASSWORD = 'Correct-Horse-9'"
    administrator.execute("CREATE DATABASE [bare]; CREATE DATABASE [whole] CONTAINMENT = PARTIAL")
    rows = administrator.execute(
        "USE master; SELECT name, containment, containment_desc FROM sys.databases WHERE name IN ('bare', 'whole')"
    )
    while rows.description is None:
        rows.nextset()
    assert [tuple(row) for row in rows] == [("bare", 0, "NONE"), ("whole", 1, "PARTIAL")]
    with closing(machine.connect("bare")) as connection:
        assert refusal(connection, user) == 33233
    administrator.execute("ALTER DATABASE [bare] SET CONTAINMENT = PARTIAL WITH ROLLBACK IMMEDIATE")
    for name in ("bare", "whole"):
        with closing(machine.connect(name)) as connection:
            connection.execute(user)
        machine.connect(name, "keeper", "Correct-Horse-9").close()


def test_a_server_that_admits_no_contained_users_makes_no_contained_database(host: Host) -> None:
    strict = VirtualMachine("strict", rules=[])
    strict.contained_authentication = False
    server = host.serve(strict)
    with closing(server.connect(server.database())) as connection:
        query = (
            "SELECT CAST(value_in_use AS int) FROM sys.configurations WHERE name = 'contained database authentication'"
        )
        assert connection.execute(query).fetchone()[0] == 0
        assert refusal(connection, "CREATE DATABASE [whole] CONTAINMENT = PARTIAL") == 12824
