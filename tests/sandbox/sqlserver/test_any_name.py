"""Whatever a user is called and whatever its password is, as far as environment file and cloud allow it: it logs in."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from setup_kit.environment import names
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net, to_ado_net
from setup_kit.sqlserver.sessions import MASTER, SqlSessions
from setup_kit.sqlserver.templates import render
from tests.sandbox.sqlserver.logical_server import DATABASE, LogicalServer

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
hostile = st.sampled_from(
    ["]", "]]", "'", "''", "--", "/*", ";", "[", '"', "{", "}", "=", "\n", " ", "%", "\\", "{{", "😀"]
)
texts = st.lists(hostile | characters, min_size=1, max_size=24).map("".join)
# What Azure asks for besides: three kinds of characters, eight at least.
passwords = texts.map(lambda text: f"{text}aB3!aB3!") | texts.map(lambda text: f"aB3!aB3!{text}")


def allowed(check: Callable[[str], str], text: str) -> bool:
    try:
        return bool(check(text))
    except ValueError:
        return False


@given(user=texts.map(str.strip).filter(lambda text: allowed(names.export_user, text)), password=passwords)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_and_password_that_is_allowed_logs_in_exactly(
    server: LogicalServer, sessions: SqlSessions, user: str, password: str
) -> None:
    assume(user.lower() not in password.lower())
    master, database = sessions.admin(MASTER), sessions.admin(DATABASE)
    master.run(render("create_login", name=user, password=Secret(password)), doing="make the login")
    sessions.login_changed()
    database.run(render("create_user", name=user, schema="dbo"), doing="make the user")
    try:
        text = to_ado_net(server.address, DATABASE, user, Secret(password))
        proven = sessions.prove(parse_ado_net(text))
        try:
            assert tuple(proven.rows("SELECT SUSER_SNAME(), USER_NAME()", doing="say who it is")[0]) == (user, user)
        finally:
            proven.close()
    finally:
        database.run(render("drop_user", name=user), doing="drop the user")
        master.run(render("drop_login", name=user), doing="drop the login")
