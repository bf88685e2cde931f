"""What a user may do: the thirteen grants of the export user, one missing at a time, and the rules around them."""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number

DATABASE_GRANTS = (
    "CREATE TABLE",
    "CREATE TYPE",
    "CREATE VIEW",
    "CREATE PROCEDURE",
    "ALTER ANY USER",
    "VIEW DATABASE STATE",
)
SCHEMA_GRANTS = ("ALTER", "REFERENCES", "INSERT", "DELETE", "UPDATE", "SELECT", "EXECUTE")

#: For each grant a statement that needs it, and what SQL Server says where it is missing.
NEEDS = {
    "CREATE TABLE": ("CREATE TABLE dbo.made (a int)", 262, "CREATE TABLE permission denied in database"),
    "CREATE TYPE": ("CREATE TYPE dbo.list AS TABLE (a int)", 262, "CREATE TYPE permission denied in database"),
    "CREATE VIEW": ("CREATE VIEW dbo.seen AS SELECT 1 AS a", 262, "CREATE VIEW permission denied in database"),
    "CREATE PROCEDURE": ("CREATE PROCEDURE dbo.doit AS SELECT 1", 262, "CREATE PROCEDURE permission denied in"),
    "ALTER ANY USER": ("CREATE USER other WITHOUT LOGIN", 15247, "User does not have permission to perform this"),
    "VIEW DATABASE STATE": (
        "SELECT row_count FROM sys.dm_db_partition_stats", 262, "VIEW DATABASE PERFORMANCE STATE permission denied in",
    ),
    "ALTER": ("ALTER TABLE dbo.t ADD c int NULL", 1088, 'Cannot find the object "t"'),
    "INSERT": ("INSERT INTO dbo.t (a) VALUES (9)", 229, "The INSERT permission was denied on the object 't'"),
    "DELETE": ("DELETE FROM dbo.t", 229, "The DELETE permission was denied on the object 't'"),
    "UPDATE": ("UPDATE dbo.t SET a = 1", 229, "The UPDATE permission was denied on the object 't'"),
    "SELECT": ("SELECT a FROM dbo.t", 229, "The SELECT permission was denied on the object 't'"),
    "EXECUTE": ("EXEC dbo.p", 229, "The EXECUTE permission was denied on the object 'p'"),
}  # fmt: skip


@dataclass
class Ground:
    """A database with a table, a procedure and a user who holds all thirteen grants."""

    server: Server
    database: str
    admin: pyodbc.Connection
    user: pyodbc.Connection

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.admin.execute(statement)

    def refused(self, statement: str) -> tuple[int, str]:
        with pytest.raises(pyodbc.Error) as caught:
            self.user.execute(statement)
        return number(caught.value), str(caught.value)


@pytest.fixture
def ground(server: Server, database: str, connection: pyodbc.Connection) -> Iterator[Ground]:
    connection.execute("CREATE TABLE dbo.t (a int NOT NULL)")
    connection.execute("INSERT INTO dbo.t (a) VALUES (1)")
    connection.execute("CREATE PROCEDURE dbo.p AS SELECT 42")
    name, password = server.user(database)
    connection.execute(f"GRANT {', '.join(DATABASE_GRANTS)} TO [{name}]")
    connection.execute(f"GRANT {', '.join(SCHEMA_GRANTS)} ON SCHEMA::[dbo] TO [{name}]")
    with closing(server.connect(database, name, password)) as user:
        yield Ground(server, database, connection, user)


@pytest.mark.parametrize("grant", NEEDS)
def test_a_statement_goes_through_with_its_grant(ground: Ground, grant: str) -> None:
    ground.user.execute(NEEDS[grant][0])


@pytest.mark.parametrize("grant", NEEDS)
@pytest.mark.parametrize("how", ["REVOKE", "DENY"])
def test_the_same_statement_is_refused_without_it_and_says_what_is_missing(
    ground: Ground, grant: str, how: str
) -> None:
    statement, expected, text = NEEDS[grant]
    where = "ON SCHEMA::dbo " if grant in SCHEMA_GRANTS else ""
    ground.run(f"{how} {grant} {where}TO exporter")
    found, message = ground.refused(statement)
    assert found == expected
    assert text in message
    ground.run(f"GRANT {grant} {where}TO exporter")
    ground.user.execute(statement)


@pytest.mark.parametrize("grant", DATABASE_GRANTS + SCHEMA_GRANTS)
def test_each_grant_is_seen_by_its_holder_and_missed_when_it_is_gone(ground: Ground, grant: str) -> None:
    on_schema = grant in SCHEMA_GRANTS
    securable = "N'dbo', N'SCHEMA'" if on_schema else "NULL, N'DATABASE'"
    ask = f"SELECT HAS_PERMS_BY_NAME({securable}, N'{grant}')"
    listed = f"SELECT permission_name FROM fn_my_permissions({securable})"

    def held() -> tuple[int, bool]:
        names = {row[0] for row in ground.user.execute(listed).fetchall()}
        return ground.user.execute(ask).fetchone()[0], grant in names

    assert held() == (1, True)
    ground.run(f"REVOKE {grant} {'ON SCHEMA::dbo ' if on_schema else ''}FROM exporter")
    assert held() == (0, False)


def test_the_catalog_lists_exactly_what_was_granted(ground: Ground) -> None:
    rows = ground.admin.execute(
        "SELECT p.class, p.type, p.permission_name, p.state, p.state_desc, s.name FROM sys.database_permissions AS p "
        "JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id "
        "LEFT JOIN sys.schemas AS s ON p.class = 3 AND s.schema_id = p.major_id WHERE u.name = ?",
        "exporter",
    ).fetchall()
    found = {(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows}
    assert len(rows) == len(DATABASE_GRANTS) + len(SCHEMA_GRANTS) + 1
    assert (0, "CO  ", "CONNECT", "G", "GRANT", None) in found
    assert (0, "CRTB", "CREATE TABLE", "G", "GRANT", None) in found
    assert (3, "SL  ", "SELECT", "G", "GRANT", "dbo") in found


def test_a_user_sees_its_own_permissions_and_not_those_of_others(ground: Ground) -> None:
    ground.run("REVOKE ALTER ANY USER FROM exporter", "CREATE USER stranger WITHOUT LOGIN", "GRANT SELECT TO stranger")
    grantees = ground.user.execute(
        "SELECT DISTINCT USER_NAME(grantee_principal_id) FROM sys.database_permissions"
    ).fetchall()
    assert [row[0] for row in grantees] == ["exporter"]
    names = {row[0] for row in ground.user.execute("SELECT name FROM sys.database_principals").fetchall()}
    assert "exporter" in names
    assert "stranger" not in names


def test_a_denial_in_the_database_outweighs_a_grant_on_the_schema(ground: Ground) -> None:
    ground.run("DENY SELECT TO exporter")
    assert ground.refused("SELECT * FROM dbo.t")[0] == 229
    ground.run("REVOKE SELECT FROM exporter")
    ground.user.execute("SELECT * FROM dbo.t")


def test_a_grant_on_one_object_does_not_open_another(ground: Ground) -> None:
    ground.run(
        "REVOKE SELECT ON SCHEMA::dbo FROM exporter", "CREATE TABLE dbo.u (a int)", "GRANT SELECT ON dbo.u TO exporter"
    )
    ground.user.execute("SELECT * FROM dbo.u")
    assert ground.refused("SELECT * FROM dbo.t")[0] == 229
    assert ground.refused("SELECT * FROM dbo.u JOIN dbo.t ON u.a = t.a")[0] == 229


def test_alter_on_the_schema_is_needed_besides_create_table(ground: Ground) -> None:
    ground.run("CREATE SCHEMA other")
    found, message = ground.refused("CREATE TABLE other.made (a int)")
    assert found == 2760
    assert '"other"' in message


def test_an_update_that_reads_needs_select_too(ground: Ground) -> None:
    ground.run("REVOKE SELECT ON SCHEMA::dbo FROM exporter")
    ground.user.execute("UPDATE dbo.t SET a = 5")
    assert ground.refused("UPDATE dbo.t SET a = 5 WHERE a = 1")[0] == 229
    assert ground.refused("UPDATE dbo.t SET a = a + 1")[0] == 229


def test_a_subquery_and_a_condition_ask_for_permission_as_well(ground: Ground) -> None:
    ground.run("REVOKE SELECT ON SCHEMA::dbo FROM exporter")
    assert ground.refused("SELECT 1 WHERE EXISTS (SELECT * FROM dbo.t)")[0] == 229
    assert ground.refused("IF EXISTS (SELECT * FROM dbo.t) SELECT 1")[0] == 229
    assert ground.refused("INSERT INTO dbo.t (a) SELECT a FROM dbo.t")[0] == 229
    assert ground.refused("WITH x AS (SELECT a FROM dbo.t) SELECT * FROM x")[0] == 229


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("db_datareader", "SELECT * FROM dbo.t", "DELETE FROM dbo.t"),
        ("db_datawriter", "DELETE FROM dbo.t", "SELECT * FROM dbo.t"),
        ("db_ddladmin", "CREATE TABLE dbo.made (a int)", "SELECT * FROM dbo.t"),
        ("db_owner", "CREATE USER other WITHOUT LOGIN", ""),
    ],
)
def test_a_fixed_role_gives_its_permissions_and_no_more(
    server: Server, database: str, connection: pyodbc.Connection, role: str, may: str, may_not: str
) -> None:
    connection.execute("CREATE TABLE dbo.t (a int)")
    name, password = server.user(database, "member")
    connection.execute(f"ALTER ROLE {role} ADD MEMBER [{name}]")
    with closing(server.connect(database, name, password)) as user:
        user.execute(may)
        if may_not:
            with pytest.raises(pyodbc.Error):
                user.execute(may_not)
        connection.execute(f"ALTER ROLE {role} DROP MEMBER [{name}]")
        with pytest.raises(pyodbc.Error):
            user.execute(may)


def test_a_role_of_ones_own_hands_its_grants_to_its_members(ground: Ground) -> None:
    ground.run(
        "REVOKE SELECT ON SCHEMA::dbo FROM exporter", "CREATE ROLE readers", "GRANT SELECT ON SCHEMA::dbo TO readers"
    )
    assert ground.refused("SELECT * FROM dbo.t")[0] == 229
    ground.run("ALTER ROLE readers ADD MEMBER exporter")
    ground.user.execute("SELECT * FROM dbo.t")
    row = ground.user.execute("SELECT IS_MEMBER('readers'), IS_MEMBER('db_owner')").fetchone()
    assert tuple(row) == (1, 0)


def test_a_user_without_control_cannot_hand_out_permissions(ground: Ground) -> None:
    ground.run("CREATE USER friend WITHOUT LOGIN")
    assert ground.refused("GRANT SELECT TO friend")[0] == 4613
    assert ground.refused("GRANT SELECT ON SCHEMA::dbo TO friend")[0] == 15151
    ground.run("GRANT SELECT ON SCHEMA::dbo TO exporter WITH GRANT OPTION")
    ground.user.execute("GRANT SELECT ON SCHEMA::dbo TO friend")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DROP TABLE dbo.t", 3701),
        ("TRUNCATE TABLE dbo.t", 1088),
        ("CREATE INDEX i ON dbo.t (a)", 1088),
        ("DROP USER exporter", 15151),
        ("ALTER ROLE db_owner ADD MEMBER exporter", 15151),
        ("CREATE SCHEMA mine", 15247),
        ("CREATE ROLE mine", 15247),
        ("ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT OFF", 5011),
        ("ALTER DATABASE SCOPED CONFIGURATION SET MAXDOP = 2", 15247),
        ("GRANT CONTROL TO public", 4613),
        ("ALTER USER dbo WITH DEFAULT_SCHEMA = guest", 15151),
    ],
)
def test_a_user_with_nothing_may_change_nothing(
    server: Server, database: str, connection: pyodbc.Connection, statement: str, expected: int
) -> None:
    connection.execute("CREATE TABLE dbo.t (a int)")
    name, password = server.user(database)
    with closing(server.connect(database, name, password)) as user:
        with pytest.raises(pyodbc.Error) as caught:
            user.execute(statement)
        assert number(caught.value) == expected
        assert user.execute("SELECT COUNT(*) FROM sys.tables").fetchone()[0] == 0


def test_a_user_whose_connect_is_gone_is_not_let_in(
    server: Server, database: str, connection: pyodbc.Connection
) -> None:
    name, password = server.user(database)
    server.connect(database, name, password).close()
    connection.execute(f"REVOKE CONNECT FROM [{name}]")
    with pytest.raises(pyodbc.Error) as caught:
        server.connect(database, name, password)
    assert number(caught.value) == 4060


def test_a_view_shows_what_its_reader_may_not_read_otherwise(ground: Ground) -> None:
    ground.run(
        "REVOKE SELECT ON SCHEMA::dbo FROM exporter",
        "CREATE VIEW dbo.seen AS SELECT a FROM dbo.t",
        "GRANT SELECT ON dbo.seen TO exporter",
    )
    assert ground.user.execute("SELECT a FROM dbo.seen").fetchone()[0] == 1
    assert ground.refused("SELECT a FROM dbo.t")[0] == 229


def test_a_dropped_user_can_do_nothing_more_in_its_open_session(ground: Ground) -> None:
    ground.user.execute("SELECT * FROM dbo.t").fetchall()
    ground.run("DROP USER exporter")
    with pytest.raises(pyodbc.Error):
        ground.user.execute("SELECT * FROM dbo.t")
