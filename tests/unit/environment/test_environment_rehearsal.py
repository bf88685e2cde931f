"""What one may choose of a first environment file on a sandbox, and what the sandbox dictates."""

from __future__ import annotations

import pytest

from setup_kit.environment.models import Environment
from setup_kit.environment.rehearsal import rehearsal
from setup_kit.environment.starter import NAMES
from setup_kit.errors import UsageError
from tests.unit.environment.test_environment_starter import SANDBOX

WITH_MACHINE = SANDBOX | {"sql_machine": {"host": "127.0.0.1", "port": 4709, "administrator": "sa", "password": "x"}}
NOTHING: dict[str, str | None] = dict.fromkeys(
    (
        "tenant", "subscription", "location", "organization_url", "organization_id", "administrator_group",
        "administrator_group_id", "administrator_login", "machine", "service_region", "authorization", "prefix", *NAMES,
    )
)  # fmt: skip
GROUP = "33333333-3333-3333-3333-333333333333"


def written(entities: tuple[str, ...] = (), **given: str) -> Environment:
    return rehearsal(WITH_MACHINE, "demo", entities, NOTHING | given).environment()


def test_what_a_sandbox_leaves_open_is_taken_as_given() -> None:
    chosen = written(
        ("account",),
        location="northeurope",
        service_region="East US",
        administrator_login="joe",
        authorization="access_policy",
        prefix="own",
    )
    assert chosen.location == "northeurope"
    assert chosen.sql.firewall.service_region == "East US"
    assert chosen.sql.administrator.sql_login == "joe"
    assert chosen.sql.administrator.entra_group is None
    assert chosen.key_vault.authorization == "access_policy"
    assert (chosen.profile.prefix, list(chosen.profile.entities)) == ("own", ["account"])


def test_the_names_may_be_chosen() -> None:
    chosen = written(server="sql-own", vault="kv-own", secret="theirs", profile="Own", database="crm")
    assert (chosen.sql.server, chosen.key_vault.name, chosen.key_vault.secret) == ("sql-own", "kv-own", "theirs")
    assert (chosen.profile.name, chosen.sql.database.name, chosen.resource_group) == ("Own", "crm", "rg-demo")
    with pytest.raises(UsageError, match="--server"):
        written(machine="", server="sql-own")


def test_another_group_may_administer_a_sandboxs_server() -> None:
    group = written(administrator_group="Others", administrator_group_id=GROUP).sql.administrator.entra_group
    assert group is not None
    assert (group.name, str(group.object_id)) == ("Others", GROUP)


def test_all_options_that_a_sandbox_dictates_are_refused_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        written(tenant=GROUP, organization_url="https://contoso.crm4.dynamics.com", machine="nosuch.invalid")
    for option in ("--tenant", "--organization-url", "--machine"):
        assert option in caught.value.what
    assert "127.0.0.1,4709" in caught.value.why
    assert "--location" not in caught.value.what


def test_a_machine_of_the_sandbox_takes_no_region_and_no_group_but_its_own_address_and_login() -> None:
    with pytest.raises(UsageError, match="--administrator-group, --service-region"):
        written(machine="", administrator_group="Others", service_region="East US")
    chosen = written(machine="127.0.0.1,4709", administrator_login="boss")
    assert str(chosen.sql.machine) == "127.0.0.1,4709"
    assert chosen.sql.administrator.sql_login == "boss"
