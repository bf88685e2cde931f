"""Owners: ownership chains through views and procedures, ALTER AUTHORIZATION, ALTER SCHEMA … TRANSFER, DROP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number


@dataclass
class Ground:
    """Schema `other` belongs to `mate`, `dbo` to dbo; both have a table, and dbo modules that read them."""

    admin: pyodbc.Connection
    user: pyodbc.Connection

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.admin.execute(statement)

    def refused(self, statement: str) -> str:
        with pytest.raises(pyodbc.Error) as caught:
            self.user.execute(statement).fetchall()
        return str(caught.value.args[1])


@pytest.fixture
def ground(server: Server, database: str, connection: pyodbc.Connection) -> Iterator[Ground]:
    name, password = server.user(database)
    with closing(server.connect(database, name, password)) as user:
        ground = Ground(connection, user)
        ground.run(
            "CREATE USER mate WITHOUT LOGIN",
            "CREATE TABLE dbo.t (a int)",
            "INSERT INTO dbo.t VALUES (1)",
            "CREATE SCHEMA other AUTHORIZATION mate",
            "CREATE TABLE other.t (a int)",
            "INSERT INTO other.t VALUES (2)",
        )
        yield ground


def test_a_view_lends_the_right_to_what_its_owner_owns(ground: Ground) -> None:
    ground.run("CREATE VIEW dbo.v AS SELECT a FROM dbo.t", "GRANT SELECT ON dbo.v TO exporter")
    assert ground.user.execute("SELECT a FROM dbo.v").fetchone()[0] == 1
    assert "on the object 't'" in ground.refused("SELECT a FROM dbo.t")


def test_a_view_over_another_owners_table_asks_for_it(ground: Ground) -> None:
    ground.run("CREATE VIEW dbo.v AS SELECT a FROM other.t", "GRANT SELECT ON dbo.v TO exporter")
    told = ground.refused("SELECT a FROM dbo.v")
    assert "SELECT permission was denied on the object 't'" in told
    assert "schema 'other'" in told
    ground.run("GRANT SELECT ON other.t TO exporter")
    assert ground.user.execute("SELECT a FROM dbo.v").fetchone()[0] == 2


def test_a_chain_of_views_holds_from_one_link_to_the_next(ground: Ground) -> None:
    ground.run(
        "CREATE VIEW other.inner_v AS SELECT a FROM other.t",
        "CREATE VIEW dbo.v AS SELECT a FROM other.inner_v",
        "GRANT SELECT ON dbo.v TO exporter",
    )
    assert "on the object 'inner_v'" in ground.refused("SELECT a FROM dbo.v")
    ground.run("GRANT SELECT ON other.inner_v TO exporter")
    assert ground.user.execute("SELECT a FROM dbo.v").fetchone()[0] == 2


def test_a_denied_table_is_read_through_an_unbroken_chain(ground: Ground) -> None:
    ground.run(
        "CREATE VIEW dbo.v AS SELECT a FROM dbo.t",
        "GRANT SELECT ON dbo.v TO exporter",
        "DENY SELECT ON dbo.t TO exporter",
    )
    assert ground.user.execute("SELECT a FROM dbo.v").fetchone()[0] == 1


def test_a_procedure_lends_the_right_to_what_its_owner_owns(ground: Ground) -> None:
    ground.run(
        "CREATE PROCEDURE dbo.p AS BEGIN INSERT INTO dbo.t VALUES (3); UPDATE dbo.t SET a = a; "
        "SELECT COUNT(*) FROM dbo.t END",
        "GRANT EXECUTE ON dbo.p TO exporter",
    )
    cursor = ground.user.execute("SET NOCOUNT ON; EXEC dbo.p")
    assert cursor.fetchone()[0] == 2


def test_a_procedure_does_not_lend_the_right_to_what_another_owns(ground: Ground) -> None:
    ground.run("CREATE PROCEDURE dbo.p AS SELECT a FROM other.t", "GRANT EXECUTE ON dbo.p TO exporter")
    assert "schema 'other'" in ground.refused("EXEC dbo.p")
    ground.run("GRANT SELECT ON other.t TO exporter")
    assert ground.user.execute("EXEC dbo.p").fetchone()[0] == 2


def test_a_procedure_calls_those_of_its_owner_and_asks_for_those_of_others(ground: Ground) -> None:
    ground.run(
        "CREATE PROCEDURE dbo.inner_p AS SELECT a FROM dbo.t",
        "CREATE PROCEDURE dbo.p AS EXEC dbo.inner_p",
        "CREATE PROCEDURE other.inner_p AS SELECT a FROM other.t",
        "CREATE PROCEDURE dbo.q AS EXEC other.inner_p",
        "GRANT EXECUTE ON dbo.p TO exporter",
        "GRANT EXECUTE ON dbo.q TO exporter",
    )
    assert ground.user.execute("EXEC dbo.p").fetchone()[0] == 1
    assert "EXECUTE permission was denied on the object 'inner_p'" in ground.refused("EXEC dbo.q")
    assert "EXECUTE permission was denied on the object 'inner_p'" in ground.refused("EXEC dbo.inner_p")


@pytest.mark.parametrize("body", ["EXEC (N'SELECT a FROM dbo.t')", "EXEC sp_executesql N'SELECT a FROM dbo.t'"])
def test_a_text_that_a_procedure_runs_stands_outside_its_chain(ground: Ground, body: str) -> None:
    ground.run(f"CREATE PROCEDURE dbo.p AS {body}", "GRANT EXECUTE ON dbo.p TO exporter")
    assert "SELECT permission was denied on the object 't'" in ground.refused("EXEC dbo.p")
    ground.run("GRANT SELECT ON dbo.t TO exporter")
    assert ground.user.execute("EXEC dbo.p").fetchone()[0] == 1


def test_a_procedure_does_not_lend_the_right_to_define(ground: Ground) -> None:
    ground.run("CREATE PROCEDURE dbo.p AS TRUNCATE TABLE dbo.t", "GRANT EXECUTE ON dbo.p TO exporter")
    assert "(1088)" in ground.refused("EXEC dbo.p")


def test_the_owner_of_a_schema_may_do_everything_in_it_and_can_be_denied_nothing(ground: Ground) -> None:
    ground.run("ALTER AUTHORIZATION ON SCHEMA::other TO exporter", "DENY SELECT TO exporter")
    assert ground.user.execute("SELECT a FROM other.t").fetchone()[0] == 2
    ground.user.execute("ALTER TABLE other.t ADD b int NULL")
    ground.user.execute("GRANT SELECT ON other.t TO mate")
    ground.user.execute("DROP TABLE other.t")


def test_the_owner_of_a_table_in_anothers_schema_may_do_everything_with_it(ground: Ground) -> None:
    ground.run("GRANT SELECT ON dbo.t TO mate", "ALTER AUTHORIZATION ON dbo.t TO exporter")
    assert ground.user.execute("SELECT a FROM dbo.t").fetchone()[0] == 1
    ground.user.execute("INSERT INTO dbo.t VALUES (9)")
    granted = "SELECT COUNT(*) FROM sys.database_permissions WHERE class = 1"
    assert ground.admin.execute(granted).fetchone()[0] == 0
    ground.run("ALTER AUTHORIZATION ON dbo.t TO SCHEMA OWNER")
    assert "SELECT permission was denied" in ground.refused("SELECT a FROM dbo.t")


def test_a_table_that_changes_hands_breaks_the_chain_of_its_view(ground: Ground) -> None:
    ground.run("CREATE VIEW dbo.v AS SELECT a FROM dbo.t", "GRANT SELECT ON dbo.v TO exporter")
    assert ground.user.execute("SELECT a FROM dbo.v").fetchone()[0] == 1
    ground.run("ALTER AUTHORIZATION ON OBJECT::dbo.t TO mate")
    assert "SELECT permission was denied on the object 't'" in ground.refused("SELECT a FROM dbo.v")


def test_a_transferred_table_leaves_its_permissions_behind(ground: Ground) -> None:
    ground.run("GRANT SELECT ON dbo.t TO exporter", "CREATE SCHEMA side", "ALTER SCHEMA side TRANSFER dbo.t")
    assert "(229)" in ground.refused("SELECT a FROM side.t")
    assert ground.admin.execute("SELECT a FROM side.t").fetchone()[0] == 1
    with pytest.raises(pyodbc.Error) as caught:
        ground.admin.execute("ALTER SCHEMA other TRANSFER side.t")
    assert number(caught.value) == 15530


@pytest.mark.parametrize(
    ("statement", "expected", "text"),
    [
        ("DROP USER mate", 15138, "The database principal owns a schema in the database, and cannot be dropped."),
        ("DROP ROLE crew", 15144, "The role has members. It must be empty before it can be dropped."),
        ("DROP USER friend", 15421, "The database principal owns a database role and cannot be dropped."),
        ("DROP USER dbo", 15150, "Cannot drop the user 'dbo'."),
        ("DROP ROLE public", 15150, "Cannot drop the role 'public'."),
        ("DROP ROLE db_owner", 15150, "Cannot drop the role 'db_owner'."),
        ("DROP SCHEMA other", 3729, "Cannot drop schema 'other' because it is being referenced by object 't'."),
        ("ALTER AUTHORIZATION ON SCHEMA::dbo TO mate", 15150, "Cannot alter the schema 'dbo'."),
        ("CREATE SCHEMA other", 2714, "There is already an object named 'other' in the database."),
    ],
)
def test_what_is_still_in_use_is_not_dropped(ground: Ground, statement: str, expected: int, text: str) -> None:
    ground.run(
        "CREATE USER friend WITHOUT LOGIN", "CREATE ROLE crew AUTHORIZATION friend", "ALTER ROLE crew ADD MEMBER mate"
    )
    with pytest.raises(pyodbc.Error) as caught:
        ground.admin.execute(statement)
    assert f"{text} ({expected})" in str(caught.value.args[1])
