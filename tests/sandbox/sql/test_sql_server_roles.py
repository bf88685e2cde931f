"""Logins and server roles of a SQL Server on a virtual machine; its administrator is one of sysadmin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Host, Policy, Server, closing, number

PASSWORD = "Export-Pass-123"


@dataclass
class VirtualMachine(Policy):
    virtual_machine: bool = True


@pytest.fixture(scope="module")
def machine(host: Host) -> Server:
    return host.serve(VirtualMachine("vm", rules=[]))


@pytest.fixture
def administrator(machine: Server) -> Iterator[pyodbc.Connection]:
    with closing(machine.connect(machine.database())) as connection:
        yield connection


def login(connection: pyodbc.Connection, name: str) -> str:
    connection.execute(f"CREATE LOGIN {name} WITH PASSWORD = '{PASSWORD}'")
    return name


def refused(connection: pyodbc.Connection, statement: str) -> str:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(statement)
    return str(caught.value.args[1])


def test_logins_are_made_in_any_database(machine: Server, administrator: pyodbc.Connection) -> None:
    name = login(administrator, "anywhere")
    administrator.execute(f"CREATE USER {name} FOR LOGIN {name}")
    names = [row[0] for row in administrator.execute("SELECT name FROM sys.sql_logins").fetchall()]
    assert name in names
    assert "(15025)" in refused(administrator, f"CREATE LOGIN sqladmin WITH PASSWORD = '{PASSWORD}'")


@pytest.mark.parametrize(("password", "expected"), [("Ab1-", 15116), ("alllowercase", 15118), ("Ab1-" * 40, 15117)])
def test_a_password_must_meet_the_operating_systems_rules(
    administrator: pyodbc.Connection, password: str, expected: int
) -> None:
    assert f"({expected})" in refused(administrator, f"CREATE LOGIN weak WITH PASSWORD = '{password}'")


def test_an_ordinary_login_is_a_guest_in_master_and_nothing_elsewhere(
    machine: Server, administrator: pyodbc.Connection
) -> None:
    name = login(administrator, "plain")
    with closing(machine.connect("", name, PASSWORD)) as connection:
        row = connection.execute(
            "SELECT DB_NAME(), USER_NAME(), IS_SRVROLEMEMBER('sysadmin'), IS_SRVROLEMEMBER('public')"
        ).fetchone()
        assert tuple(row) == ("master", "guest", 0, 1)
        assert [row[0] for row in connection.execute("SELECT name FROM sys.sql_logins").fetchall()] == [name]
        assert "(15247)" in refused(connection, f"CREATE LOGIN more WITH PASSWORD = '{PASSWORD}'")
        assert "CREATE DATABASE permission denied in database 'master'. (262)" in refused(
            connection, "CREATE DATABASE more"
        )
        assert "(15151)" in refused(connection, f"ALTER SERVER ROLE sysadmin ADD MEMBER {name}")
    with pytest.raises(pyodbc.Error) as caught:
        machine.connect(machine.database(), name, PASSWORD)
    assert number(caught.value) == 4060


def test_a_member_of_sysadmin_is_dbo_everywhere(machine: Server, administrator: pyodbc.Connection) -> None:
    name = login(administrator, "chief")
    administrator.execute(f"ALTER SERVER ROLE sysadmin ADD MEMBER {name}")
    other = machine.database()
    with closing(machine.connect(other, name, PASSWORD)) as connection:
        row = connection.execute("SELECT USER_NAME(), SUSER_SNAME(), IS_SRVROLEMEMBER('sysadmin')").fetchone()
        assert tuple(row) == ("dbo", name, 1)
        connection.execute("CREATE TABLE dbo.t (a int)")
    administrator.execute(f"ALTER SERVER ROLE sysadmin DROP MEMBER {name}")
    with pytest.raises(pyodbc.Error):
        machine.connect(other, name, PASSWORD)


def test_securityadmin_manages_logins_and_dbcreator_databases(
    machine: Server, administrator: pyodbc.Connection
) -> None:
    keeper, maker = login(administrator, "keeper"), login(administrator, "maker")
    administrator.execute(f"ALTER SERVER ROLE securityadmin ADD MEMBER {keeper}")
    administrator.execute(f"ALTER SERVER ROLE dbcreator ADD MEMBER {maker}")
    with closing(machine.connect("master", keeper, PASSWORD)) as connection:
        login(connection, "kept")
        connection.execute("DROP LOGIN kept")
        assert "(262)" in refused(connection, "CREATE DATABASE refused")
    with closing(machine.connect("master", maker, PASSWORD)) as connection:
        connection.execute("CREATE DATABASE made")
        connection.execute("DROP DATABASE made")
        assert "(15247)" in refused(connection, f"CREATE LOGIN refused WITH PASSWORD = '{PASSWORD}'")
    members = administrator.execute(
        "SELECT r.name, m.name FROM sys.server_role_members AS s JOIN sys.server_principals AS r ON r.principal_id = "
        "s.role_principal_id JOIN sys.server_principals AS m ON m.principal_id = s.member_principal_id ORDER BY r.name"
    ).fetchall()
    assert {("dbcreator", maker), ("securityadmin", keeper)} <= {(row[0], row[1]) for row in members}


def test_a_database_role_by_the_name_of_azures_gives_nothing_on_the_server(
    machine: Server, administrator: pyodbc.Connection
) -> None:
    name = login(administrator, "sly")
    administrator.execute(f"CREATE USER {name} FOR LOGIN {name}")
    administrator.execute("CREATE ROLE loginmanager")
    administrator.execute(f"ALTER ROLE loginmanager ADD MEMBER {name}")
    database = administrator.execute("SELECT DB_NAME()").fetchone()[0]
    with closing(machine.connect(database, name, PASSWORD)) as connection:
        assert "(15247)" in refused(connection, f"CREATE LOGIN more WITH PASSWORD = '{PASSWORD}'")


def test_server_roles_are_refused_by_name_in_azure(server: Server) -> None:
    with closing(server.connect()) as master:
        told = refused(master, "ALTER SERVER ROLE sysadmin ADD MEMBER somebody")
        assert "Statement 'ALTER SERVER ROLE' is not supported in this version of SQL Server. (40510)" in told
