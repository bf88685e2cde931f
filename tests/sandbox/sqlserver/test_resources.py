"""The SQL side of an environment: made, found, mended, proven; over the real driver."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from setup_kit.engine.executor import Result
from setup_kit.engine.planner import Plan
from setup_kit.engine.resource import Action, Check, Finding, Resource, Status
from setup_kit.errors import KitError
from setup_kit.secret import Secret
from setup_kit.sqlserver.grants import GRANTS, Grant, Scope
from setup_kit.sqlserver.quoting import quote_identifier
from setup_kit.sqlserver.sessions import SqlSessions
from setup_kit.sqlserver.templates import Batch
from tests.sandbox.sqlserver.logical_server import DATABASE, PASSWORD, Kit, LogicalServer

MakeKit = Callable[..., Kit]
MakeSessions = Callable[[], SqlSessions]

HOSTILE = ["x]; DROP TABLE t--", "o'brien", "Ünïcode 表", "a[b]]c", '"quoted"', "sp ace", "😀"]


def changes(result: Plan | Result) -> list[str]:
    made = result.changes if isinstance(result, Plan) else result.made
    return [f"{change.action} {change.resource.partition('/')[0]} {change.target}".strip() for change in made]


def succeeded(result: Result) -> Result:
    assert result.succeeded, dict(result.failures)
    return result


@pytest.fixture
def administrator(sessions: SqlSessions) -> Callable[..., None]:
    """Does something to the server behind the kit's back."""

    def run(*statements: str, database: str = DATABASE) -> None:
        for statement in statements:
            sessions.admin(database).run(Batch("by hand", statement), doing=statement)

    return run


@pytest.mark.parametrize("contained", [False, True])
def test_the_first_apply_makes_everything_and_the_second_nothing(
    server: LogicalServer, kit: MakeKit, contained: bool
) -> None:
    first = succeeded(kit(contained=contained).apply())
    made = changes(first)
    assert ("create login" in made) is not contained
    assert "create user" in made
    assert sum(text.startswith("create grants") for text in made) == 13
    assert "update database_options maxdop" in made
    assert {finding.status for finding in first.findings} == {Status.PASSED}
    assert len(first.findings) == 14

    before = len(server.requests.read_text().splitlines())
    second = succeeded(kit(contained=contained).apply())
    assert second.made == ()
    sent = [json.loads(line) for line in server.requests.read_text().splitlines()[before:]]
    statements = [line["method"] for line in sent if line["method"] != "LOGIN"]
    assert all(statement == "SELECT" or "sp_datatype_info" in statement for statement in statements), statements
    # The export user's own log-in shows all there is to know.
    assert {line["caller"] for line in sent} == {"dataexport"}
    assert sum(line["method"] == "LOGIN" for line in sent) == 1


def test_a_plan_makes_nothing(kit: MakeKit) -> None:
    first = kit().plan()
    assert not first.empty
    assert changes(kit().plan()) == changes(first)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("contained", [False, True])
def test_a_hostile_name_is_carried_out_exactly(kit: MakeKit, sessions: SqlSessions, name: str, contained: bool) -> None:
    result = succeeded(kit(user=name, contained=contained).apply())
    assert {finding.status for finding in result.findings} == {Status.PASSED}
    query = "SELECT COUNT(*) FROM sys.database_principals WHERE name = ?"
    assert sessions.admin(DATABASE).rows(query, name, doing="look")[0][0] == 1
    assert kit(user=name, contained=contained).plan().empty


@pytest.mark.parametrize("password", ["p'W]0rd;--", '"Quo{ted}1"', "表Ünïcode1!", "a=b;C=1'", "tr A1 iling "])
def test_a_hostile_password_is_carried_out_exactly(kit: MakeKit, password: str) -> None:
    assert {finding.status for finding in succeeded(kit(Secret(password)).apply()).findings} == {Status.PASSED}


@pytest.mark.parametrize("grant", GRANTS, ids=lambda grant: grant.permission)
def test_a_missing_grant_is_reported_and_granted_again_and_nothing_else(
    kit: MakeKit, administrator: Callable[..., None], grant: Grant
) -> None:
    succeeded(kit().apply())
    administrator(f"REVOKE {grant.permission}{on(grant)} FROM [dataexport]")
    expected = [f"create grants {grant.label('dbo')}"]
    assert changes(kit().plan()) == expected
    assert [finding.message for finding in proof(kit()) if finding.status is Status.FAILED] == [
        f"the user 'dataexport' lacks {grant.label('dbo')}"
    ]
    assert changes(succeeded(kit().apply())) == expected
    assert kit().plan().empty


@pytest.mark.parametrize("grant", [GRANTS[0], GRANTS[-1]], ids=lambda grant: grant.permission)
def test_a_denied_permission_is_a_difference(kit: MakeKit, administrator: Callable[..., None], grant: Grant) -> None:
    succeeded(kit().apply())
    administrator(f"DENY {grant.permission}{on(grant)} TO [dataexport]")
    (change,) = kit().plan().changes
    assert (change.action, change.target, change.before) == (Action.UPDATE, grant.label("dbo"), "denied")
    assert "revoked" in change.why
    succeeded(kit().apply())
    assert kit().plan().empty


def test_a_login_with_another_password_gets_the_secrets(kit: MakeKit, administrator: Callable[..., None]) -> None:
    succeeded(kit().apply())
    administrator("ALTER LOGIN [dataexport] WITH PASSWORD = N'Another-1-by-hand'", database="master")
    (change,) = kit().plan().changes
    assert (change.action, change.target) == (Action.UPDATE, "password")
    assert (change.before, change.after) == ("not the secret's", "the secret's")
    assert changes(succeeded(kit().apply())) == ["update login password"]
    assert kit().plan().empty


def test_a_contained_user_with_another_password_gets_the_secrets(
    kit: MakeKit, administrator: Callable[..., None]
) -> None:
    succeeded(kit(contained=True).apply())
    administrator("ALTER USER [dataexport] WITH PASSWORD = N'Another-1-by-hand'")
    (change,) = kit(contained=True).plan().changes
    assert (change.target, change.before, change.after) == ("password", "not the secret's", "the secret's")
    assert changes(succeeded(kit(contained=True).apply())) == ["update user password"]
    assert kit(contained=True).plan().empty


def test_a_rotated_secret_reaches_the_login(kit: MakeKit) -> None:
    succeeded(kit().apply())
    rotated = kit(Secret("A-new-0ne-in-the-vault"))
    assert changes(succeeded(rotated.apply())) == ["update login password"]
    assert rotated.plan().empty


def test_a_login_that_was_dropped_is_made_again_and_the_user_tied_to_it(
    kit: MakeKit, administrator: Callable[..., None]
) -> None:
    succeeded(kit().apply())
    administrator("DROP LOGIN [dataexport]", database="master")
    assert changes(succeeded(kit().apply())) == ["create login", "update user login"]
    assert kit().plan().empty


def test_a_login_that_somebody_made_again_leaves_the_user_to_be_tied(
    kit: MakeKit, administrator: Callable[..., None]
) -> None:
    succeeded(kit().apply())
    administrator(
        "DROP LOGIN [dataexport]",
        f"CREATE LOGIN [dataexport] WITH PASSWORD = N'{PASSWORD.reveal()}'",
        database="master",
    )
    assert changes(succeeded(kit().apply())) == ["update user login"]
    assert kit().plan().empty


def test_a_user_of_another_login_is_tied_to_its_own(kit: MakeKit, administrator: Callable[..., None]) -> None:
    administrator("CREATE LOGIN [elsewhere] WITH PASSWORD = N'Another-1-by-hand'", database="master")
    administrator("CREATE USER [dataexport] FOR LOGIN [elsewhere] WITH DEFAULT_SCHEMA = [dbo]")
    made = changes(succeeded(kit().apply()))
    assert [text for text in made if "grants" not in text and "options" not in text] == [
        "create login",
        "update user login",
    ]
    assert kit().plan().empty


def test_a_login_with_a_user_of_another_name_is_refused_with_a_way_out(
    kit: MakeKit, administrator: Callable[..., None]
) -> None:
    create = f"CREATE LOGIN [dataexport] WITH PASSWORD = N'{PASSWORD.reveal()}'"
    administrator(create, database="master")
    administrator("CREATE USER [somebody] FOR LOGIN [dataexport]")
    result = kit().apply()
    (failure,) = result.failures.values()
    assert isinstance(failure, KitError)
    assert "another name" in failure.why
    assert "sql.export_user.name" in failure.remedy


def test_a_name_that_a_role_has_is_refused(kit: MakeKit, administrator: Callable[..., None]) -> None:
    administrator("CREATE ROLE [dataexport]")
    (failure,) = kit().plan().failures.values()
    assert isinstance(failure, KitError)
    assert "taken" in failure.what


def test_a_disabled_login_is_enabled_and_keeps_its_password(
    server: LogicalServer, kit: MakeKit, administrator: Callable[..., None]
) -> None:
    succeeded(kit().apply())
    administrator("ALTER LOGIN [dataexport] DISABLE", database="master")
    assert changes(kit().plan()) == ["update login enabled"]
    before = len(server.requests.read_text().splitlines())
    assert changes(succeeded(kit().apply())) == ["update login enabled"]
    sent = [json.loads(line)["method"] for line in server.requests.read_text().splitlines()[before:]]
    assert sent.count("ALTER LOGIN") == 1
    assert kit().plan().empty


def test_a_disabled_login_with_another_password_is_enabled_and_gets_the_secrets(
    kit: MakeKit, administrator: Callable[..., None]
) -> None:
    succeeded(kit().apply())
    administrator(
        "ALTER LOGIN [dataexport] WITH PASSWORD = N'Another-1-by-hand'",
        "ALTER LOGIN [dataexport] DISABLE",
        database="master",
    )
    (change,) = kit().plan().changes
    assert "password" in change.why
    assert changes(succeeded(kit().apply())) == ["update login enabled"]
    assert kit().plan().empty


def test_a_user_that_was_dropped_is_made_again_with_its_grants(
    kit: MakeKit, administrator: Callable[..., None]
) -> None:
    succeeded(kit().apply())
    administrator("DROP USER [dataexport]")
    made = changes(succeeded(kit().apply()))
    assert made[0] == "create user"
    assert len(made) == 14
    assert kit().plan().empty


def test_a_user_that_may_not_connect_may_again(kit: MakeKit, administrator: Callable[..., None]) -> None:
    succeeded(kit().apply())
    administrator("REVOKE CONNECT FROM [dataexport]")
    assert changes(succeeded(kit().apply())) == ["create grants CONNECT"]
    assert kit().plan().empty


def test_another_default_schema_is_a_difference(kit: MakeKit, administrator: Callable[..., None]) -> None:
    succeeded(kit().apply())
    administrator("CREATE SCHEMA [other]", "ALTER USER [dataexport] WITH DEFAULT_SCHEMA = [other]")
    (change,) = kit().plan().changes
    assert (change.target, change.before, change.after) == ("default_schema", "other", "dbo")
    succeeded(kit().apply())
    assert kit().plan().empty


@pytest.mark.parametrize("contained", [False, True])
def test_a_user_of_the_other_authentication_is_made_anew(kit: MakeKit, contained: bool) -> None:
    succeeded(kit(contained=not contained).apply())
    result = succeeded(kit(contained=contained).apply())
    (switch,) = [change for change in result.made if change.target == "authentication"]
    assert switch.destructive
    assert sum(change.resource.startswith("grants/") for change in result.made) == 13
    assert {finding.status for finding in result.findings} == {Status.PASSED}
    assert kit(contained=contained).plan().empty


def test_a_schema_of_its_own_is_made_and_granted_on(kit: MakeKit) -> None:
    made = changes(succeeded(kit(schema="Crm").apply()))
    assert "create schema" in made
    assert "create grants INSERT on schema Crm" in made
    assert kit(schema="Crm").plan().empty


def test_grants_on_another_schema_do_not_count(kit: MakeKit) -> None:
    succeeded(kit().apply())
    assert [text for text in changes(kit(schema="Crm").plan()) if "grants" in text] == [
        f"create grants {grant.label('Crm')}" for grant in GRANTS if grant.scope is Scope.SCHEMA
    ]


def test_options_changed_by_hand_are_set_back(kit: MakeKit, administrator: Callable[..., None]) -> None:
    succeeded(kit().apply())
    administrator(
        "ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT OFF WITH ROLLBACK IMMEDIATE",
        "ALTER DATABASE SCOPED CONFIGURATION SET MAXDOP = 4",
    )
    plan = kit().plan()
    assert changes(plan) == ["update database_options read_committed_snapshot", "update database_options maxdop"]
    assert [(change.before, change.after) for change in plan.changes] == [(False, True), (4, 1)]
    succeeded(kit().apply())
    assert kit().plan().empty


def test_what_the_file_wants_against_the_recommendation_is_argued_with_the_file(kit: MakeKit) -> None:
    succeeded(kit().apply())
    other = kit(maxdop=4, snapshot=False)
    snapshot, maxdop = other.plan().changes
    assert (snapshot.after, maxdop.after) == (False, 4)
    for change, recommended in ((snapshot, "on"), (maxdop, "1")):
        assert change.why.startswith(f"the environment file says so; recommended is {recommended}")
    assert "rolled back" in snapshot.why
    succeeded(other.apply())
    assert other.plan().empty


def test_a_closed_firewall_defers_the_reading_and_apply_opens_it(server: LogicalServer, kit: MakeKit) -> None:
    succeeded(kit().apply())
    server.policy.rules.clear()
    plan = kit().plan()
    assert not plan.changes
    assert not plan.failures
    assert all("127.0.0.1" in item.reason for item in plan.deferred)
    assert len(plan.deferred) >= 3
    assert succeeded(kit().apply()).made == ()


def test_superfluous_grants_are_reported_with_the_statement_that_takes_them_away(
    kit: MakeKit, administrator: Callable[..., None]
) -> None:
    succeeded(kit().apply())
    assert audit(kit()) == []
    administrator(
        "GRANT CONTROL ON SCHEMA::[dbo] TO [dataexport]",
        "DENY ALTER ANY ROLE TO [dataexport]",
        "ALTER ROLE db_owner ADD MEMBER [dataexport]",
    )
    assert kit().plan().empty
    findings = {finding.check: finding for finding in audit(kit())}
    assert set(findings) == {"grants.superfluous", "grants.denied", "grants.role"}
    assert "CONTROL on schema dbo" in findings["grants.superfluous"].message
    assert "ALTER ANY ROLE" in findings["grants.denied"].message
    assert "db_owner" in findings["grants.role"].message
    assert {check: finding.status for check, finding in findings.items()} == {
        "grants.superfluous": Status.FAILED,
        "grants.role": Status.FAILED,
        "grants.denied": Status.WARNING,
    }
    statements = [shlex.split(finding.remedy)[-1] for finding in findings.values()]
    administrator(*statements)
    assert audit(kit()) == []


def test_permissions_on_objects_and_the_right_to_pass_on_are_named_and_taken_away(
    kit: MakeKit, administrator: Callable[..., None]
) -> None:
    succeeded(kit().apply())
    administrator(
        "CREATE TABLE [dbo].[their table] (id int)",
        "GRANT SELECT ON OBJECT::[dbo].[their table] TO [dataexport]",
        "GRANT INSERT ON SCHEMA::[dbo] TO [dataexport] WITH GRANT OPTION",
    )
    findings = {finding.check: finding for finding in audit(kit())}
    assert set(findings) == {"grants.superfluous", "grants.grant_option"}
    assert "SELECT on an object dbo.their table" in findings["grants.superfluous"].message
    administrator(*[shlex.split(finding.remedy)[-1] for finding in findings.values()])
    assert audit(kit()) == []
    assert kit().plan().empty


def test_the_proof_names_a_log_in_that_fails(kit: MakeKit, administrator: Callable[..., None]) -> None:
    succeeded(kit().apply())
    administrator("ALTER LOGIN [dataexport] WITH PASSWORD = N'Another-1-by-hand'", database="master")
    (finding,) = proof(kit())
    assert (finding.check, finding.status) == ("proof.login", Status.FAILED)
    assert "dataexport" in finding.message


def test_the_proof_refuses_a_string_that_leads_elsewhere(kit: MakeKit) -> None:
    succeeded(kit().apply())
    (finding,) = proof(kit(user="somebody"), secret_of=kit())
    assert (finding.check, finding.status) == ("proof.secret", Status.FAILED)
    assert "dataexport" in finding.message


def test_what_was_made_can_be_taken_away(kit: MakeKit) -> None:
    made = kit(schema="Crm")
    succeeded(made.apply())
    resources = reading(made)
    for kind in ("grants", "user", "schema", "login"):
        resources[kind].delete(resources[kind].observed)
    left = changes(made.plan())
    assert {"create login", "create schema", "create user"} <= set(left)


def on(grant: Grant) -> str:
    return f" ON SCHEMA::{quote_identifier('dbo')}" if grant.scope is Scope.SCHEMA else ""


def reading(kit: Kit) -> dict[str, Resource[Any]]:
    """The resources of a kit, read."""
    plan = kit.plan()
    assert not plan.failures
    return {node.kind: node for node in plan.nodes if isinstance(node, Resource)}


def audit(kit: Kit) -> list[Finding]:
    grants = reading(kit)["grants"]
    assert grants.observed is not None
    return grants.audit(grants.observed)


def proof(kit: Kit, secret_of: Kit | None = None) -> list[Finding]:
    """What the proof finds, with the secret of another kit when one is given."""
    nodes = kit.plan().nodes
    (check,) = [node for node in nodes if isinstance(node, Check)]
    if secret_of is not None:
        (given,) = [node for node in nodes if node.address == "given/secret"]
        (other,) = [node for node in secret_of.plan().nodes if node.address == "given/secret"]
        given.state = other.state  # type: ignore[attr-defined]
    return check.run()
