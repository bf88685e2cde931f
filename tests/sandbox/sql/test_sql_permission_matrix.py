"""Each statement with its permissions granted, missing and denied: as the table from the T-SQL reference says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_security as ss
from tests.sandbox.sql import permission_model as model
from tests.sandbox.sql.conftest import EXPORT_PASSWORD, Server, closing
from tests.sandbox.sql.permission_ground import Ground
from tests.sandbox.sql.permission_table import CONTRACT, ROWS, SERVER_ROWS, Row, ServerRow

CELLS = [
    (row, grant, state) for row in ROWS for grant in CONTRACT for state in ("granted", "missing", "denied", "alone")
]


@pytest.fixture(scope="module")
def ground(server: Server) -> Iterator[Ground]:
    ground = Ground(server)
    yield ground
    ground.close()


def check(ground: Ground, row: Row, held: Mapping[str, str]) -> None:
    ground.hold(ground.name, held)
    ground.check(row)


def contract(grant: str, state: str) -> dict[str, str]:
    """The export user's thirteen grants, with one of them missing or denied; or that one alone."""
    if state == "alone":
        return {grant: "GRANT"}
    held = dict.fromkeys(CONTRACT, "GRANT")
    if state == "missing":
        del held[grant]
    if state == "denied":
        held[grant] = "DENY"
    return held


@pytest.mark.parametrize(
    ("row", "grant", "state"), CELLS, ids=[f"{row.statement[:60]}-{grant}-{state}" for row, grant, state in CELLS]
)
def test_a_statement_of_the_export_user_fares_as_the_reference_says(
    ground: Ground, row: Row, grant: str, state: str
) -> None:
    check(ground, row, contract(grant, state))


def own_cases(row: Row) -> Iterator[tuple[str, dict[str, str]]]:
    """Exactly what a statement needs, in each of the ways; each need missing; each denied, alone and below CONTROL."""
    needs = [need for need in row.needs if need.ways]
    enough = {right: held(right) for right in (need.ways[0] for need in needs)}
    yield "granted", enough
    for need in needs:
        others = {right: state for right, state in enough.items() if right != need.ways[0]}
        yield f"without {need.ways[0]}", others
        for way in need.ways[1:]:
            yield f"by {way}", {**others, way: held(way)}
        denials = {way: "DENY" for way in need.ways if held(way) == "GRANT" and way != "CONTROL"}
        if denials:
            yield f"{need.ways[0]} denied", {**others, **denials}
            yield f"{need.ways[0]} denied under CONTROL", {"CONTROL": "GRANT", **denials}


def held(right: str) -> str:
    return "MEMBER" if right.startswith("db_") else "GRANT"


OWN_CASES = [(row, label, rights) for row in ROWS for label, rights in own_cases(row)]


@pytest.mark.parametrize(
    ("row", "rights"),
    [(row, rights) for row, _, rights in OWN_CASES],
    ids=[f"{row.statement[:60]}-{label}" for row, label, _ in OWN_CASES],
)
def test_a_statement_goes_through_with_exactly_what_it_needs(ground: Ground, row: Row, rights: dict[str, str]) -> None:
    check(ground, row, rights)


@pytest.mark.parametrize("role", [*model.ROLE_GRANTS, *model.ROLE_DENIALS])
@pytest.mark.parametrize("row", ROWS, ids=[row.statement[:60] for row in ROWS])
def test_a_member_of_a_fixed_role_may_do_what_the_role_may(ground: Ground, row: Row, role: str) -> None:
    check(ground, row, {role: "MEMBER"})
    check(ground, row, {role: "MEMBER", "CONTROL": "GRANT"})


@pytest.mark.parametrize("row", SERVER_ROWS, ids=[row.statement[:40] for row in SERVER_ROWS])
@pytest.mark.parametrize("role", ["", "loginmanager", "dbmanager", "db_owner"])
def test_a_statement_on_the_server_goes_by_the_roles_of_master(server: Server, row: ServerRow, role: str) -> None:
    with closing(server.connect()) as admin:
        if not admin.execute("SELECT name FROM sys.sql_logins WHERE name = 'asker'").fetchone():
            admin.execute(f"CREATE LOGIN asker WITH PASSWORD = '{EXPORT_PASSWORD}'")
            admin.execute("CREATE USER asker FOR LOGIN asker")
        statements = [row.before, f"ALTER ROLE {role} ADD MEMBER asker" if role else ""]
        for statement in filter(None, statements):
            admin.execute(statement)
        told = ""
        with closing(server.connect("master", "asker", EXPORT_PASSWORD)) as asker:
            try:
                asker.execute(row.statement)
            except pyodbc.Error as error:
                told = str(error.args[1])
        if role:
            admin.execute(f"ALTER ROLE {role} DROP MEMBER asker")
        with contextlib.suppress(pyodbc.Error):  # it has gone, or never came
            admin.execute(row.undo)
    if role == row.role:
        assert not told
    else:
        assert f"{row.text} ({row.number})" in told


def test_every_statement_that_the_endpoint_knows_is_in_the_table() -> None:
    without_securables = {
        s.Block, s.If, s.While, s.Try, s.Leave, s.SetVariable, s.SetOption, s.Print, s.Raise, s.WaitFor, s.Use,
        s.Transaction,
    }  # fmt: skip
    elsewhere = {s.InsertBulk, s.BulkRows, ss.AlterServerRole}  # by bulk load; on a virtual machine only
    known = {found for found in vars(s).values() if isinstance(found, type) and issubclass(found, s.Statement)}
    proven = {type(one) for row in (*ROWS, *SERVER_ROWS) for one in parser.parse_batch(row.statement)}
    assert known - {s.Statement} - without_securables - elsewhere <= proven
