"""`promote`: what differs between two environments, through the installed command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from setup_kit.environment import shape
from setup_kit.environment.comparison import NEVER_SHARED, OWN
from tests.unit.cli.test_cli import run

BASE = """\
tenant: 11111111-1111-1111-1111-111111111111
subscription: 22222222-2222-2222-2222-222222222222
location: westeurope
sql:
  administrator:
    entra_group: {name: SQL Administrators, object_id: 33333333-3333-3333-3333-333333333333}
  firewall: {service_region: West Europe}
profile:
  prefix: crm
"""
CHILD = """\
extends: base.yaml
resource_group: rg-{name}
sql:
  server: sql-contoso-{name}
  database: {{name: crm-{name}{sku}}}
key_vault: {{name: kv-contoso-{name}}}
dynamics:
  organization_url: https://{name}.crm4.dynamics.com
  organization_id: {id}
profile:
  name: Contoso {name}
  entities: [{entities}]
"""
DEV_ID, TEST_ID = "44444444-4444-4444-4444-444444444444", "55555555-5555-5555-5555-555555555555"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "base.yaml").write_text(BASE)
    write(tmp_path, "dev", DEV_ID, "account, contact, incident")
    return tmp_path


def write(folder: Path, name: str, organization: str, entities: str, sku: str = "") -> Path:
    path = folder / "environments" / f"{name}.yaml"
    path.write_text(CHILD.format(name=name, id=organization, entities=entities, sku=sku))
    return path


def promoted(folder: Path, *options: str) -> Any:
    return json.loads(run("promote", "dev", "test", "--output", "json", *options, cwd=folder).stdout)


def test_what_looks_forgotten_is_told_apart_from_what_differs_by_nature(folder: Path) -> None:
    write(folder, "test", TEST_ID, "contact, account, lead", ", sku: S3")
    found = {each["key"]: each for each in promoted(folder)["differences"]}
    assert {key for key, each in found.items() if not each["own"]} == {"sql.database.sku", "profile.entities"}
    assert {key for key, each in found.items() if each["own"]} == {
        "resource_group",
        "sql.server",
        "sql.database.name",
        "key_vault.name",
        "dynamics.organization_url",
        "dynamics.organization_id",
        "profile.name",
    }
    assert (found["sql.database.sku"]["from"], found["sql.database.sku"]["to"]) == ("P1", "S3")
    # A default stands in no file.
    assert found["sql.database.sku"]["from_place"] is None
    assert found["sql.database.sku"]["to_place"] == {"file": "environments/test.yaml", "line": 5}
    text = run("promote", "dev", "test", cwd=folder).stdout
    assert "only dev: incident" in text
    assert "only test: lead" in text
    assert "2 to look at, 7 by nature" in text
    assert "environments/test.yaml:5" in text


def test_a_server_or_organization_that_both_name_is_a_mistake(folder: Path) -> None:
    path = write(folder, "test", DEV_ID, "account, contact, incident")
    path.write_text(path.read_text().replace("sql-contoso-test", "sql-contoso-dev"))
    shared = [each["key"] for each in promoted(folder)["shared"]]
    assert shared == ["sql.server", "dynamics.organization_id"]
    assert "must not be" in run("promote", "dev", "test", cwd=folder).stdout


@pytest.mark.parametrize(("entities", "code"), [("incident, contact, account", 0), ("account", 3)])
def test_the_exit_code_tells_a_pipeline_whether_there_is_something_to_look_at(
    folder: Path, entities: str, code: int
) -> None:
    write(folder, "test", TEST_ID, entities)
    assert run("promote", "dev", "test", "--detailed-exitcode", cwd=folder).returncode == code
    assert run("promote", "dev", "test", cwd=folder).returncode == 0


def test_what_differs_by_nature_are_keys_of_the_file() -> None:
    known = {".".join(key) for key in shape.walk()}
    assert set(OWN) <= known
    assert set(NEVER_SHARED) <= known


def test_two_environments_may_share_a_machine_but_not_a_database_on_it(folder: Path) -> None:
    for name in ("dev", "test"):
        path = write(folder, name, DEV_ID if name == "dev" else TEST_ID, "account, contact, incident")
        machine = "machine: {host: sql01.contoso.com}\n  firewall:\n  administrator: {entra_group: , sql_login: sa}"
        path.write_text(path.read_text().replace(f"server: sql-contoso-{name}", machine))
    compared = promoted(folder)
    assert compared["shared"] == []
    assert not any(each["key"].startswith(("sql.machine", "sql.server")) for each in compared["differences"])
    path.write_text(path.read_text().replace("name: crm-test", "name: crm-dev"))
    assert [each["key"] for each in promoted(folder)["shared"]] == ["sql.database.name"]


def test_an_environment_is_not_promoted_to_itself(folder: Path) -> None:
    for again in ("dev", "environments/dev.yaml"):
        refused = run("promote", "dev", again, cwd=folder)
        assert refused.returncode == 2
        assert f"dev and {again} are the same environment" in refused.stderr
    assert "did you mean dev?" in run("promote", "dev", "dve", cwd=folder).stderr
