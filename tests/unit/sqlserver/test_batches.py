"""Every T-SQL template, rendered with names that try to get out of their quotes."""

from __future__ import annotations

import jinja2
import pytest
from sqlglot.dialects.tsql import TSQL
from sqlglot.tokenizer_core import Token, TokenType

from setup_kit.secret import Secret
from setup_kit.sqlserver.grants import GRANTS, PERMISSIONS
from setup_kit.sqlserver.quoting import QuotingError
from setup_kit.sqlserver.templates import (
    Batch,
    UnquotedError,
    render,
    template_environment,
    template_folder,
    template_names,
)

NAMES = ["dataexport", "x]; DROP TABLE t--", "o'brien", "Ünïcode 表", "a[b]]c", '"', "/* */", "{{ name }}", "😀", " "]
PASSWORDS = ["Abc123!?", "'; DROP LOGIN [sa]--", "it''s", "]]'", "{% if %}", "表'🗝"]

# What each batch must be, the names and texts left out: I an identifier, S a literal.
SHAPES = {
    "alter_login_password": "ALTER LOGIN I WITH PASSWORD = S",
    "alter_user_default_schema": "ALTER USER I WITH DEFAULT_SCHEMA = I",
    "alter_user_login": "ALTER USER I WITH LOGIN = I",
    "alter_user_password": "ALTER USER I WITH PASSWORD = S",
    "create_contained_user": "CREATE USER I WITH PASSWORD = S , DEFAULT_SCHEMA = I",
    "create_database": (
        "CREATE DATABASE I CONTAINMENT = PARTIAL ; EXEC I . sys . sp_addextendedproperty @ name = S , @ value = S"
    ),
    "create_login": "CREATE LOGIN I WITH PASSWORD = S",
    "create_schema": "CREATE SCHEMA I",
    "create_user": "CREATE USER I FOR LOGIN I WITH DEFAULT_SCHEMA = I",
    "drop_database": (
        "IF DB_ID ( S ) IS NOT NULL BEGIN ALTER DATABASE I SET SINGLE_USER WITH ROLLBACK IMMEDIATE ; "
        "DROP DATABASE I ; END"
    ),
    "drop_exported_procedure": "DROP PROCEDURE IF EXISTS I . I",
    "drop_exported_table": "DROP TABLE IF EXISTS I . I",
    "drop_exported_type": "DROP TYPE IF EXISTS I . I",
    "drop_login": "DROP LOGIN I",
    "drop_schema": "DROP SCHEMA I",
    "drop_user": "DROP USER I",
    "enable_login": "ALTER LOGIN I ENABLE",
    "give_object": "ALTER AUTHORIZATION ON OBJECT :: I . I TO I",
    "give_schema": "ALTER AUTHORIZATION ON SCHEMA :: I TO I",
    "give_type": "ALTER AUTHORIZATION ON TYPE :: I . I TO I",
    "grant_on_database": "GRANT VIEW DATABASE STATE TO I",
    "grant_on_schema": "GRANT VIEW DATABASE STATE ON SCHEMA :: I TO I",
    "revoke_on_database": "REVOKE VIEW DATABASE STATE FROM I",
    "revoke_on_schema": "REVOKE VIEW DATABASE STATE ON SCHEMA :: I FROM I",
    "set_containment": "ALTER DATABASE I SET CONTAINMENT = PARTIAL WITH ROLLBACK IMMEDIATE",
    "set_maxdop": "ALTER DATABASE SCOPED CONFIGURATION SET MAXDOP = 1",
    "set_read_committed_snapshot": "ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE",
}


def tokens(text: str) -> list[Token]:
    return TSQL().tokenize(text)


def shape(token: Token) -> str:
    if token.token_type is TokenType.IDENTIFIER:
        return "I"
    if token.token_type is TokenType.NATIONAL_STRING:
        return "S"
    return token.text


def rendered(template: str, name: str, password: str, schema: str) -> Batch:
    return render(
        template,
        name=name,
        password=Secret(password),
        schema=schema,
        owned=schema,
        permission="VIEW DATABASE STATE",
        maxdop=1,
        enabled=True,
        contained=True,
        property=password,
        owner=password,
    )


def test_every_template_is_tried_here() -> None:
    assert template_names() == sorted(SHAPES)


@pytest.mark.parametrize("template", sorted(SHAPES))
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_stays_one_identifier(template: str, name: str) -> None:
    for password in PASSWORDS:
        found = tokens(rendered(template, name, password, schema=name[::-1]).text)
        assert " ".join(shape(token) for token in found) == SHAPES[template]
        assert {token.text for token in found if shape(token) == "I"} <= {name, name[::-1]}
        literals = {name} if template == "drop_database" else {password}
        assert {token.text for token in found if shape(token) == "S"} <= literals


@pytest.mark.parametrize("template", sorted(SHAPES))
def test_every_template_says_where_it_runs_and_why(template: str) -> None:
    text = (template_folder() / f"{template}.sql.j2").read_text(encoding="utf-8")
    header, _, batch = text.partition("#}")
    assert "Where:" in header
    assert "Why:" in header
    assert batch.strip()


def test_every_grant_of_the_contract_can_be_rendered() -> None:
    assert len(GRANTS) == 13
    for grant in GRANTS:
        assert render("grant_on_database", name="u", permission=grant.permission).text == (
            f"GRANT {grant.permission} TO [u]"
        )


@pytest.mark.parametrize("permission", ["CONTROL", "insert", "INSERT TO [x]; GRANT CONTROL", ""])
def test_a_permission_beyond_the_contract_is_refused(permission: str) -> None:
    assert permission not in PERMISSIONS
    with pytest.raises(QuotingError):
        render("grant_on_database", name="u", permission=permission)


@pytest.mark.parametrize(
    "template",
    [
        "DROP TABLE {{ name }}",
        "DROP TABLE {{ name | upper }}",
        "DROP TABLE {{ name | safe }}",
        "DROP TABLE {{ (name | identifier) ~ name }}",
        "DROP TABLE {{ (name | identifier) + name }}",
        "DROP TABLE {{ (name | identifier) | replace(']', '') }}",
        "DROP TABLE {{ 'constant' }}",
        "SELECT TOP {{ 5 }} 1",
        "{% for part in name %}{{ part }}{% endfor %}",
        "{% macro raw(value) %}{{ value }}{% endmacro %}DROP TABLE {{ raw(name) }}",
        "{% set copy %}{{ name }}{% endset %}{{ copy | identifier }}",
        "{% filter upper %}{{ name }}{% endfilter %}",
    ],
)
def test_a_value_without_a_quoting_filter_is_refused(template: str) -> None:
    environment = template_environment(jinja2.DictLoader({"t": template}))
    with pytest.raises(UnquotedError):
        environment.get_template("t").render(name="x")


def test_a_missing_value_is_named() -> None:
    environment = template_environment(
        jinja2.DictLoader({"t": "DROP LOGIN {{ name | identifier }}", "u": "{{ name }}"})
    )
    for template in ("t", "u"):
        with pytest.raises((jinja2.UndefinedError, QuotingError)):
            environment.get_template(template).render()
    with pytest.raises(jinja2.UndefinedError, match="password"):
        render("create_login", name="x")


@pytest.mark.parametrize("value", [True, "1", 1.5, "1; DROP TABLE t"])
def test_an_integer_is_an_integer(value: object) -> None:
    with pytest.raises(QuotingError):
        render("set_maxdop", maxdop=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "x" * 129, "😀" * 65, "nul\x00", "half \ud83d"])
def test_a_name_that_sql_server_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(QuotingError):
        render("drop_login", name=name)


def test_a_batch_does_not_show_its_text() -> None:
    batch = render("create_login", name="n", password=Secret("hunter2 hunter2"))
    assert "hunter2" in batch.text
    assert "hunter2" not in repr(batch)
