"""GRANT, DENY and REVOKE: the grant option, grantors, what is refused, and what the catalog shows to whom."""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing


@dataclass
class Ground:
    """The administrator, two users with connections of their own and one without, a table and a role."""

    admin: pyodbc.Connection
    ann: pyodbc.Connection
    bob: pyodbc.Connection

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.admin.execute(statement)

    def rows(self) -> set[tuple[str, str, str, str]]:
        """Grantee, permission, state and grantor of what was granted on objects."""
        found = self.admin.execute(
            "SELECT USER_NAME(grantee_principal_id), permission_name, RTRIM(state), USER_NAME(grantor_principal_id) "
            "FROM sys.database_permissions WHERE class = 1"
        ).fetchall()
        return {(row[0], row[1], row[2], row[3]) for row in found}


def refused(connection: pyodbc.Connection, statement: str) -> str:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(statement)
    return str(caught.value.args[1])


@pytest.fixture
def ground(server: Server, database: str, connection: pyodbc.Connection) -> Iterator[Ground]:
    for statement in (
        "CREATE TABLE dbo.t (a int)",
        "CREATE PROCEDURE dbo.p AS SELECT 1 AS one",
        "CREATE TYPE dbo.tt AS TABLE (a int)",
        "CREATE ROLE crew",
        "CREATE USER eve WITHOUT LOGIN",
    ):
        connection.execute(statement)
    ann, bob = server.user(database, "ann"), server.user(database, "bob")
    with closing(server.connect(database, *ann)) as of_ann, closing(server.connect(database, *bob)) as of_bob:
        yield Ground(connection, of_ann, of_bob)


def test_the_grant_option_lets_its_holder_hand_on_that_permission_and_no_other(ground: Ground) -> None:
    ground.run("GRANT SELECT ON dbo.t TO ann WITH GRANT OPTION")
    ground.ann.execute("GRANT SELECT ON dbo.t TO bob")
    ground.bob.execute("SELECT a FROM dbo.t")
    assert "(15151)" in refused(ground.ann, "GRANT INSERT ON dbo.t TO bob")
    assert "(15151)" in refused(ground.bob, "GRANT SELECT ON dbo.t TO eve")
    assert ground.rows() == {("ann", "SELECT", "W", "dbo"), ("bob", "SELECT", "G", "ann")}


def test_the_grant_option_on_a_schema_does_not_reach_its_objects(ground: Ground) -> None:
    ground.run("GRANT SELECT ON SCHEMA::dbo TO ann WITH GRANT OPTION")
    ground.ann.execute("GRANT SELECT ON SCHEMA::dbo TO bob")
    assert "(15151)" in refused(ground.ann, "GRANT SELECT ON dbo.t TO bob")


def test_control_with_the_grant_option_hands_on_what_it_implies(ground: Ground) -> None:
    ground.run("GRANT CONTROL ON dbo.t TO ann WITH GRANT OPTION")
    ground.ann.execute("GRANT SELECT ON dbo.t TO bob")
    ground.bob.execute("SELECT a FROM dbo.t")


@pytest.mark.parametrize("statement", ["REVOKE SELECT ON dbo.t FROM ann", "DENY SELECT ON dbo.t TO ann",
                                       "REVOKE GRANT OPTION FOR SELECT ON dbo.t FROM ann"])  # fmt: skip
def test_what_can_be_handed_on_is_taken_back_with_cascade_only(ground: Ground, statement: str) -> None:
    ground.run("GRANT SELECT ON dbo.t TO ann WITH GRANT OPTION")
    ground.ann.execute("GRANT SELECT ON dbo.t TO bob WITH GRANT OPTION")
    ground.bob.execute("GRANT SELECT ON dbo.t TO eve")
    told = refused(ground.admin, statement)
    assert "To revoke or deny grantable privileges, specify the CASCADE option. (4611)" in told
    ground.run(f"{statement} CASCADE")
    left = {
        "REVOKE SELECT ON dbo.t FROM ann": set(),
        "DENY SELECT ON dbo.t TO ann": {("ann", "SELECT", "D", "dbo")},
        "REVOKE GRANT OPTION FOR SELECT ON dbo.t FROM ann": {("ann", "SELECT", "G", "dbo")},
    }[statement]  # fmt: skip
    assert ground.rows() == left


def test_one_grantor_does_not_take_back_what_another_gave(ground: Ground) -> None:
    ground.run("GRANT SELECT ON dbo.t TO ann WITH GRANT OPTION")
    ground.ann.execute("GRANT SELECT ON dbo.t TO eve")
    ground.run("REVOKE SELECT ON dbo.t FROM eve")
    assert ("eve", "SELECT", "G", "ann") in ground.rows()
    ground.ann.execute("REVOKE SELECT ON dbo.t FROM eve")
    assert ground.rows() == {("ann", "SELECT", "W", "dbo")}


def test_the_grant_option_gives_no_right_to_deny_and_a_plain_grant_takes_it_away(ground: Ground) -> None:
    ground.run("GRANT SELECT ON dbo.t TO ann WITH GRANT OPTION")
    assert "(15151)" in refused(ground.ann, "DENY SELECT ON dbo.t TO bob")
    ground.run("GRANT SELECT ON dbo.t TO ann")
    assert ground.rows() == {("ann", "SELECT", "G", "dbo")}


def test_db_accessadmin_grants_connect_and_nothing_else(ground: Ground) -> None:
    ground.run("ALTER ROLE db_accessadmin ADD MEMBER ann")
    ground.ann.execute("DENY CONNECT TO eve")
    ground.ann.execute("GRANT CONNECT TO eve")
    assert "(4613)" in refused(ground.ann, "GRANT SELECT TO eve")


def test_exec_is_execute(ground: Ground) -> None:
    ground.run("GRANT EXEC ON dbo.p TO ann")
    assert ground.ann.execute("EXEC dbo.p").fetchone()[0] == 1


def test_a_grant_in_anothers_name_is_that_principals(ground: Ground) -> None:
    ground.run(
        "GRANT SELECT ON dbo.t TO crew WITH GRANT OPTION",
        "ALTER ROLE crew ADD MEMBER ann",
        "GRANT SELECT ON dbo.t TO eve AS crew",
    )
    ground.ann.execute("GRANT SELECT ON dbo.t TO bob AS crew")
    assert ground.rows() == {
        ("crew", "SELECT", "W", "dbo"), ("eve", "SELECT", "G", "crew"), ("bob", "SELECT", "G", "crew"),
    }  # fmt: skip
    assert "Cannot find the user 'eve'" in refused(ground.ann, "GRANT SELECT ON dbo.t TO bob AS eve")
    assert "(4613)" in refused(ground.admin, "GRANT INSERT ON dbo.t TO bob AS eve")


def test_a_grant_takes_the_place_of_a_denial_and_a_denial_of_a_grant(ground: Ground) -> None:
    ground.run("DENY SELECT ON dbo.t TO ann", "GRANT SELECT ON dbo.t TO ann")
    assert ground.rows() == {("ann", "SELECT", "G", "dbo")}
    ground.run("DENY SELECT ON dbo.t TO ann")
    assert ground.rows() == {("ann", "SELECT", "D", "dbo")}


def test_who_has_handed_on_permissions_cannot_be_dropped(ground: Ground) -> None:
    ground.run("GRANT SELECT ON dbo.t TO ann WITH GRANT OPTION")
    ground.ann.execute("GRANT SELECT ON dbo.t TO eve")
    assert "(15284)" in refused(ground.admin, "DROP USER ann")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("GRANT EXECUTE ON dbo.t TO ann", "Granted or revoked privilege EXECUTE is not compatible with object. (4606)"),
        ("GRANT SELECT ON dbo.p TO ann", "Granted or revoked privilege SELECT is not compatible with object. (4606)"),
        ("GRANT CREATE TABLE ON SCHEMA::dbo TO ann", "Incorrect syntax near 'CREATE TABLE...'. (102)"),
        ("GRANT DELETE ON TYPE::dbo.tt TO ann", "Incorrect syntax near 'DELETE...'. (102)"),
        ("GRANT NONSENSE TO ann", "Incorrect syntax near 'NONSENSE'. (102)"),
        ("GRANT SELECT TO db_owner", "Cannot grant, deny or revoke permissions to or from special roles. (4617)"),
        ("GRANT SELECT TO nobody", "Cannot find the user 'nobody', because it does not exist or you do not have "
         "permission. (15151)"),
        ("GRANT SELECT ON dbo.nothing TO ann", "Cannot find the object 'nothing', because it does not exist or you do "
         "not have permission. (15151)"),
        ("GRANT SELECT ON SCHEMA::nothing TO ann", "Cannot find the schema 'nothing', because"),
        ("GRANT EXECUTE ON TYPE::dbo.nothing TO ann", "Cannot find the type 'nothing', because"),
        ("GRANT ALTER ON ROLE::ann TO eve", "Cannot find the role 'ann', because"),
        ("GRANT VIEW SERVER STATE TO ann", "Securable class 'server' not supported in this version of SQL Server. "
         "(40520)"),
        ("GRANT CONTROL ON LOGIN::x TO ann", "Securable class 'login' not supported in this version"),
        ("GRANT SELECT (a) ON dbo.t TO ann", "(40517)"),
        ("GRANT ALL ON dbo.t TO ann", "(40517)"),
    ],
)  # fmt: skip
def test_what_cannot_be_granted_is_refused_by_number(ground: Ground, statement: str, told: str) -> None:
    assert told in refused(ground.admin, statement)


def test_a_grant_to_oneself_or_to_dbo_is_told_and_changes_nothing(ground: Ground) -> None:
    for statement in ("GRANT SELECT ON dbo.t TO dbo", "DENY SELECT ON dbo.t TO dbo", "REVOKE SELECT FROM sys"):
        cursor = ground.admin.execute(statement)
        assert "Cannot grant, deny, or revoke permissions to sa, dbo, entity owner" in cursor.messages[0][1]
    cursor = ground.ann.execute("GRANT CONTROL TO ann")
    assert "or yourself." in cursor.messages[0][1]
    assert ground.ann.execute("SELECT HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'CONTROL')").fetchone()[0] == 0


def test_permissions_on_types_users_and_roles_are_listed_by_their_classes(ground: Ground) -> None:
    ground.run(
        "GRANT EXECUTE ON TYPE::dbo.tt TO ann",
        "GRANT IMPERSONATE ON USER::eve TO ann",
        "GRANT ALTER ON ROLE::crew TO ann",
    )
    found = ground.admin.execute(
        "SELECT class_desc, permission_name, RTRIM(type) FROM sys.database_permissions WHERE class IN (4, 6) "
        "ORDER BY permission_name"
    ).fetchall()
    assert [tuple(row) for row in found] == [
        ("DATABASE_PRINCIPAL", "ALTER", "AL"), ("TYPE", "EXECUTE", "EX"), ("DATABASE_PRINCIPAL", "IMPERSONATE", "IM"),
    ]  # fmt: skip
    of_type = "SELECT TYPE_NAME(major_id) FROM sys.database_permissions WHERE class = 6"
    assert ground.admin.execute(of_type).fetchone()[0] == "tt"


def test_a_user_sees_only_what_it_owns_or_holds_something_on(ground: Ground) -> None:
    ground.run("CREATE VIEW dbo.v AS SELECT a FROM dbo.t", "CREATE TABLE dbo.u (a int)")
    names = "SELECT name FROM sys.objects ORDER BY name"
    assert ground.ann.execute(names).fetchall() == []
    ground.run(
        "GRANT REFERENCES ON dbo.t TO ann", "GRANT VIEW DEFINITION ON dbo.v TO ann", "DENY SELECT ON dbo.u TO ann"
    )
    assert [row[0] for row in ground.ann.execute(names).fetchall()] == ["t", "v"]
    row = ground.ann.execute(
        "SELECT OBJECT_ID('dbo.t'), OBJECT_ID('dbo.u'), OBJECT_DEFINITION(OBJECT_ID('dbo.v')), TYPE_ID('dbo.tt')"
    ).fetchone()
    assert (row[0] is not None, row[1], row[2], row[3]) == (
        True,
        None,
        "CREATE VIEW dbo.v AS SELECT a FROM dbo.t",
        None,
    )
    ground.run("ALTER AUTHORIZATION ON dbo.u TO ann")
    assert [row[0] for row in ground.ann.execute(names).fetchall()] == ["t", "u", "v"]


def test_a_user_with_nothing_finds_no_trace_of_objects_in_any_view(ground: Ground) -> None:
    ground.run(
        "CREATE TABLE dbo.obscure_t (obscure_c int NOT NULL PRIMARY KEY, d int CONSTRAINT obscure_d DEFAULT 1)",
        "CREATE INDEX obscure_i ON dbo.obscure_t (d)",
        "CREATE TABLE dbo.obscure_u (obscure_c int CONSTRAINT obscure_f REFERENCES dbo.obscure_t (obscure_c))",
        "CREATE VIEW dbo.obscure_v AS SELECT d AS obscure_c FROM dbo.obscure_t",
        "CREATE PROCEDURE dbo.obscure_p @obscure_a int AS SELECT @obscure_a AS obscure_c",
        "CREATE TYPE dbo.obscure_y AS TABLE (obscure_c int)",
        "CREATE TYPE dbo.obscure_w FROM int",
    )
    texts = ground.admin.execute(
        "SELECT SCHEMA_NAME(v.schema_id), v.name, c.name FROM sys.all_views AS v JOIN sys.all_columns AS c "
        "ON c.object_id = v.object_id WHERE v.is_ms_shipped = 1 AND TYPE_NAME(c.system_type_id) LIKE '%char'"
    ).fetchall()
    views: dict[str, list[str]] = {}
    for schema, view, column in texts:
        views.setdefault(f"{schema}.{view}", []).append(f"CAST([{column}] AS nvarchar(max))")
    seen = []
    for view, columns in views.items():
        asked = f"SELECT COUNT(*) FROM {view} WHERE CONCAT({', '.join(columns)}, N'') LIKE N'%obscure%'"
        if ground.admin.execute(asked).fetchone()[0]:
            seen.append(view)
        with contextlib.suppress(pyodbc.ProgrammingError):  # 262, which tells nothing either
            assert (view, ground.bob.execute(asked).fetchone()[0]) == (view, 0)
    assert {"sys.objects", "sys.columns", "sys.types", "INFORMATION_SCHEMA.COLUMNS"} <= set(seen)


def test_a_definition_is_shown_with_view_definition_only(ground: Ground) -> None:
    ground.run("GRANT EXECUTE ON dbo.p TO ann")
    shown = "SELECT definition FROM sys.sql_modules WHERE object_id = OBJECT_ID('dbo.p')"
    assert ground.ann.execute(shown).fetchone()[0] is None
    ground.run("GRANT VIEW DEFINITION ON dbo.p TO ann")
    assert ground.ann.execute(shown).fetchone()[0] == "CREATE PROCEDURE dbo.p AS SELECT 1 AS one"


def test_other_users_and_roles_are_seen_with_a_permission_on_them(ground: Ground) -> None:
    names = "SELECT name FROM sys.database_principals WHERE name IN ('ann', 'bob', 'eve', 'crew', 'dbo', 'db_owner')"

    def seen() -> set[str]:
        return {row[0] for row in ground.ann.execute(names).fetchall()}

    assert seen() == {"ann", "dbo", "db_owner"}
    ground.run("GRANT IMPERSONATE ON USER::eve TO ann", "ALTER ROLE crew ADD MEMBER ann")
    assert seen() == {"ann", "eve", "crew", "dbo", "db_owner"}
    ground.run("GRANT ALTER ANY USER TO ann")
    assert seen() == {"ann", "bob", "eve", "crew", "dbo", "db_owner"}


def test_ones_own_memberships_are_seen_and_those_of_others_with_view_definition(ground: Ground) -> None:
    ground.run("ALTER ROLE crew ADD MEMBER ann", "ALTER ROLE crew ADD MEMBER bob")
    members = "SELECT USER_NAME(member_principal_id) FROM sys.database_role_members ORDER BY 1"
    assert [row[0] for row in ground.ann.execute(members).fetchall()] == ["ann"]
    ground.run("GRANT VIEW DEFINITION TO ann")
    assert [row[0] for row in ground.ann.execute(members).fetchall()] == ["ann", "bob"]


def test_procedures_for_members_do_as_alter_role_does(ground: Ground) -> None:
    ground.run("EXEC sp_addrolemember 'crew', 'ann'")
    assert ground.ann.execute("SELECT IS_ROLEMEMBER('crew')").fetchone()[0] == 1
    assert "(15151)" in refused(ground.ann, "EXEC sp_addrolemember N'db_owner', N'ann'")
    ground.run("EXEC sp_droprolemember @rolename = 'crew', @membername = 'ann'")
    assert ground.ann.execute("SELECT IS_ROLEMEMBER('crew')").fetchone()[0] == 0


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("ALTER ROLE crew ADD MEMBER crew", 15413),
        ("ALTER ROLE public ADD MEMBER ann", 15081),
        ("ALTER ROLE crew ADD MEMBER dbo", 15405),
        ("ALTER ROLE crew ADD MEMBER nobody", 15151),
        ("ALTER ROLE db_owner WITH NAME = mine", 15150),
        ("ALTER ROLE crew WITH NAME = ann", 15023),
        ("CREATE ROLE ann", 15023),
        ("ALTER USER dbo WITH NAME = me", 15150),
        ("ALTER USER ann WITH NAME = bob", 15023),
        ("ALTER USER eve WITH PASSWORD = 'Another-Pass-456'", 33234),
        ("ALTER USER ann WITH LOGIN = nobody", 15007),
    ],
)
def test_what_cannot_be_done_to_principals_is_refused_by_number(ground: Ground, statement: str, number: int) -> None:
    assert f"({number})" in refused(ground.admin, statement)


def test_a_statement_that_lacks_several_permissions_names_select_first(ground: Ground) -> None:
    for statement in ("UPDATE dbo.t SET a = 1 WHERE a = 2", "DELETE FROM dbo.t WHERE a = 2"):
        assert "The SELECT permission was denied on the object 't'" in refused(ground.ann, statement)
