from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from setup_kit.sandbox.resource_manager.vaults import VAULTS
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlAddress, to_ado_net
from tests.sandbox.service.conftest import (
    DATABASE,
    DATABASE_GRANTS,
    PASSWORD,
    SCHEMA_GRANTS,
    SECRET,
    USER,
    Ground,
    Host,
    Service,
    entities,
)
from tests.sandbox.service.proxy import BreakingProxy


def validate(service: Service, description: dict[str, Any]) -> dict[str, Any]:
    """The refusal's body, its details by code."""
    answer = service.call("POST", "profiles/validate", description)
    if answer.status_code == 200:
        return {"Message": "", "Codes": [], "Details": []}
    assert answer.status_code == 400, answer.text
    body: dict[str, Any] = answer.json()
    return {**body, "Codes": [detail["Code"] for detail in body["Details"]]}


def test_a_profile_with_everything_it_needs_is_valid(service: Service, ground: Ground) -> None:
    assert validate(service, ground.description())["Message"] == ""


@pytest.mark.parametrize("permission", DATABASE_GRANTS)
def test_a_revoked_grant_on_the_database_is_named(service: Service, ground: Ground, permission: str) -> None:
    with ground.changed(f"REVOKE {permission} FROM [{USER}]", f"GRANT {permission} TO [{USER}]"):
        body = validate(service, ground.description())
    assert body["Message"] == f"The database user '{USER}' lacks {permission} on database {DATABASE}."
    assert body["Details"] == [{"Code": "DatabasePermission", "Target": permission, "Message": body["Message"]}]


@pytest.mark.parametrize("permission", SCHEMA_GRANTS)
def test_a_revoked_grant_on_the_schema_is_named(service: Service, ground: Ground, permission: str) -> None:
    on = f"{permission} ON SCHEMA::[dbo]"
    with ground.changed(f"REVOKE {on} FROM [{USER}]", f"GRANT {on} TO [{USER}]"):
        body = validate(service, ground.description())
    assert body["Message"] == f"The database user '{USER}' lacks {permission} on schema dbo."
    assert body["Details"] == [{"Code": "SchemaPermission", "Target": permission, "Message": body["Message"]}]


def test_all_that_is_missing_is_told_at_once(service: Service, ground: Ground) -> None:
    with (
        ground.changed(f"REVOKE CREATE TYPE, CREATE VIEW FROM [{USER}]", f"GRANT CREATE TYPE, CREATE VIEW TO [{USER}]"),
        without_tag(ground),
    ):
        body = validate(service, ground.description(Entities=entities("account", "nothing", "phonecall")))
    assert sorted(body["Codes"]) == [
        "ChangeTracking",
        "DatabasePermission",
        "DatabasePermission",
        "EntityNotFound",
        "SecretTag",
    ]
    assert "CREATE TYPE" in body["Message"]
    assert "'nothing' does not exist" in body["Message"]


def test_a_vault_of_another_tenant_is_told_with_both_tenants(service: Service, ground: Ground) -> None:
    state, other = ground.azure.sandbox.state, "77777777-7777-4777-8777-777777777777"
    vault = state.get(VAULTS, ground.name)
    assert vault is not None
    state.put(VAULTS, ground.name, {**vault, "properties": {**vault["properties"], "tenantId": other}})
    try:
        body = validate(service, ground.description())
    finally:
        state.put(VAULTS, ground.name, vault)
    assert body["Codes"] == ["KeyVaultTenant"]
    own = ground.azure.sandbox["tenant_id"]
    assert f"belongs to tenant {other}, the organization to tenant {own}: both must be in the same" in body["Message"]


@contextmanager
def without_tag(ground: Ground) -> Iterator[None]:
    ground.write_secret(tags={})
    try:
        yield
    finally:
        ground.write_secret()


@contextmanager
def without_policy(ground: Ground) -> Iterator[None]:
    ground.let_the_service_in([])
    try:
        yield
    finally:
        ground.let_the_service_in(["get"])


@contextmanager
def without_firewall_rule(ground: Ground) -> Iterator[None]:
    ground.shut_firewall()
    try:
        yield
    finally:
        ground.open_firewall()


@contextmanager
def with_secret(ground: Ground, value: Secret | None = None, **options: Any) -> Iterator[None]:
    ground.write_secret(value, **options)
    try:
        yield
    finally:
        ground.write_secret()


def disabled(ground: Ground) -> AbstractContextManager[None]:
    return with_secret(ground, enabled=False)


def expired(ground: Ground) -> AbstractContextManager[None]:
    return with_secret(ground, expires_on=datetime.now(UTC) - timedelta(days=1))


def without_a_password(ground: Ground) -> AbstractContextManager[None]:
    return with_secret(ground, Secret(f"Server=tcp:{ground.address.host},{ground.address.port};User ID=x"))


def in_another_database(ground: Ground) -> AbstractContextManager[None]:
    return with_secret(ground, to_ado_net(ground.address, "Elsewhere", USER, Secret(PASSWORD)))


def with_another_password(ground: Ground) -> AbstractContextManager[None]:
    return ground.changed(
        f"ALTER LOGIN [{USER}] WITH PASSWORD = N'An-other-1'",
        f"ALTER LOGIN [{USER}] WITH PASSWORD = N'{PASSWORD.replace(chr(39), chr(39) * 2)}'",
        "master",
    )


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (without_tag, "SecretTag", ["tag '{organization}' with the value '{tenant}'"]),
        (without_policy, "SecretUnreadable", ["403", "'get'", SECRET]),
        (without_firewall_rule, "Firewall", ["40615", "40.68.252.224"]),
        (disabled, "SecretDisabled", [SECRET, "disabled"]),
        (expired, "SecretExpired", [SECRET, "expired on"]),
        (without_a_password, "ConnectionString", ["'Password'"]),
        (in_another_database, "DatabaseNotOpen", ["Elsewhere", "4060"]),
        (with_another_password, "LoginFailed", [USER, "18456"]),
    ],
)
def test_what_the_service_cannot_get_through_is_named(
    service: Service, ground: Ground, change: Any, code: str, told: list[str]
) -> None:
    with change(ground):
        body = validate(service, ground.description())
    assert body["Codes"] == [code]
    for words in told:
        wanted = words.format(organization=ground.organization_id, tenant=ground.azure.sandbox["tenant_id"])
        assert wanted in body["Message"]
    assert PASSWORD not in str(body)


def test_a_secret_that_does_not_exist_is_named(service: Service, ground: Ground) -> None:
    uri = ground.secret_uri + "Elsewhere"
    body = validate(service, ground.description(DestinationKeyVaultUri=uri))
    assert (body["Codes"], uri in body["Message"]) == (["SecretNotFound"], True)


def test_a_schema_that_does_not_exist_is_named(service: Service, ground: Ground) -> None:
    body = validate(service, ground.description(DestinationSchemaName="elsewhere"))
    assert body["Codes"] == ["SchemaNotFound"]


def test_a_table_that_is_there_already_is_named(service: Service, ground: Ground) -> None:
    description = ground.description()
    table = f"{description['DestinationPrefix']}_account"
    with ground.changed(f"CREATE TABLE [dbo].[{table}] ([Id] int NULL)", f"DROP TABLE [dbo].[{table}]"):
        body = validate(service, description)
    assert body["Codes"] == ["TableExists"]
    assert f"There is already an object named '{table}'" in body["Message"]


def test_relationships_are_checked_like_entities(service: Service, ground: Ground) -> None:
    relationships = entities("contactleads_association", "opportunitycompetitors_association", "nothing")
    body = validate(service, ground.description(Relationships=relationships))
    assert [(detail["Code"], detail["Target"]) for detail in body["Details"]] == [
        ("RelationshipNotExportable", "opportunitycompetitors_association"),
        ("RelationshipNotFound", "nothing"),
    ]


@pytest.mark.parametrize(
    ("name", "code"), [("activitypointer", "EntityNotExportable"), ("contactleads", "EntityNotExportable")]
)
def test_an_entity_that_is_never_exported_is_named(service: Service, ground: Ground, name: str, code: str) -> None:
    assert validate(service, ground.description(Entities=entities(name)))["Codes"] == [code]


def test_limits_on_a_description_are_told_together(service: Service, ground: Ground) -> None:
    body = validate(service, ground.description(DestinationPrefix="fifteenletters1", Entities=[], Name=None))
    assert {detail["Target"] for detail in body["Details"]} == {"DestinationPrefix", "Entities", "Name"}


def test_the_privacy_terms_must_be_accepted_first(host: Host, ground: Ground) -> None:
    fresh = Service(host.start(), ground.azure)
    key = ground.organization_id
    assert fresh.call("GET", "metadata/hasorgacceptedprivacyterms", organizationId=key).json() is False
    assert validate(fresh, ground.description())["Codes"] == ["PrivacyTerms"]
    fresh.accept_privacy_terms()
    assert fresh.call("GET", "metadata/hasorgacceptedprivacyterms", organizationId=key).json() is True
    assert validate(fresh, ground.description())["Codes"] == []


def test_a_connection_that_breaks_while_it_is_validated_is_made_anew(service: Service, ground: Ground) -> None:
    # By then the service has logged in and asks what its user may do.
    with BreakingProxy((ground.address.host, ground.address.port), breaks=1, after=2_000) as proxy:
        name = f"Through{proxy.port}"
        through = to_ado_net(SqlAddress("127.0.0.1", proxy.port), DATABASE, USER, Secret(PASSWORD))
        ground.write_secret(through, name=name)
        uri = f"{ground.vault_uri.rstrip('/')}/secrets/{name}"
        assert validate(service, ground.description(DestinationKeyVaultUri=uri))["Message"] == ""
        assert proxy.broken == 1
