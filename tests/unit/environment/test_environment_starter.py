from __future__ import annotations

import dataclasses
import json
import os
import stat
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from setup_kit.clouds import CLOUDS, SANDBOX_VARIABLE
from setup_kit.environment.cloud import cloud_of
from setup_kit.environment.loading import load
from setup_kit.environment.problems import EnvironmentFileError
from setup_kit.environment.starter import Starter, derived_names, machine_of, sandbox_answers, write_starter
from setup_kit.errors import UsageError

SANDBOX: dict[str, Any] = {
    "authority": "https://127.0.0.1:4701",
    "resource_manager": "https://127.0.0.1:4702",
    "resource_manager_audience": "https://management.azure.com/",
    "graph": "https://127.0.0.1:4703",
    "graph_audience": "https://graph.microsoft.com",
    "vault_audience": "https://vault.azure.net",
    "sql_audience": "https://database.windows.net/",
    "discovery": "https://127.0.0.1:4704",
    "organization": {"name": "Contoso", "url": "https://127.0.0.1:4705", "id": "11111111-2222-3333-4444-555555555554"},
    "tenant_id": "11111111-2222-3333-4444-555555555551",
    "subscription_id": "11111111-2222-3333-4444-555555555552",
    "location": "westeurope",
    "client_id": "11111111-2222-3333-4444-555555555556",
    "client_secret": "hunter2-and-more",
    "sql_administrators": {"name": "SQL Administrators", "object_id": "11111111-2222-3333-4444-555555555553"},
    "ca_file": "/nowhere/ca.pem",
    "service_region": "West Europe",
}

ANSWERS = Starter(
    name="prod",
    tenant="11111111-2222-3333-4444-555555555551",
    subscription="11111111-2222-3333-4444-555555555552",
    location="West Europe",
    organization_url="https://contoso.crm4.dynamics.com/",
    organization_id="11111111-2222-3333-4444-555555555554",
    sql_login="boss",
)


def test_the_sandbox_answers_every_question(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "environments" / "demo.yaml", sandbox_answers(SANDBOX, "demo"))
    environment = load("demo", tmp_path).environment
    assert environment == written
    assert environment.cloud == "sandbox"
    assert str(environment.tenant) == SANDBOX["tenant_id"]
    assert environment.dynamics.organization_url == "https://127.0.0.1:4705"
    assert environment.sql.administrator.entra_group is not None
    assert environment.sql.firewall.service_region == "West Europe"
    (rule,) = environment.sql.firewall.rules
    assert (rule.name, rule.start, rule.end) == ("workstation", "127.0.0.1", "127.0.0.1")
    assert environment.profile.entities == ("account", "contact", "lead", "opportunity", "incident", "systemuser")
    assert environment.profile.relationships == ("contactleads_association",)
    assert environment.profile.prefix == "crm"


def test_no_secret_of_the_sandbox_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    write_starter(path, sandbox_answers(SANDBOX, "demo"))
    assert "hunter2" not in path.read_text(encoding="utf-8")


def test_a_sandbox_file_that_lacks_something_is_a_plain_error() -> None:
    with pytest.raises(UsageError, match="sandbox's file") as caught:
        sandbox_answers({key: value for key, value in SANDBOX.items() if key != "organization"}, "demo")
    assert "organization" in caught.value.original


def test_the_file_is_readable_for_all_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "prod.yaml"
    write_starter(path, ANSWERS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "prod.yaml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is there already"):
        write_starter(path, ANSWERS)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_second_file_of_one_name_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "prod.yml").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"prod\.yml is there already"):
        write_starter(tmp_path / "prod.yaml", ANSWERS)


@pytest.mark.parametrize("name", ["../prod", "/prod", "", ".hidden", "prod.yaml", "a b"])
def test_an_environments_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not an environment's name"):
        write_starter(tmp_path / "environments" / f"{name}.yaml", dataclasses.replace(ANSWERS, name=name))
    assert list(tmp_path.rglob("*.yaml")) == []


def test_every_key_is_explained_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "prod.yaml"
    write_starter(path, ANSWERS)
    lines = path.read_text(encoding="utf-8").splitlines()
    top = [line.split(":")[0] for line in lines if line and line[0].isalpha()]
    assert top[:3] == ["version", "cloud", "tenant"]
    assert top[-1] == "profile"
    for above, line in pairwise(lines):
        if line.strip() and not line.lstrip().startswith(("#", "- ")):
            assert above.lstrip().startswith("# "), line
    assert max(map(len, lines)) <= 120


def test_bad_answers_are_all_told_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "prod.yaml"
    answers = dataclasses.replace(ANSWERS, tenant="contoso", server="SQL_1", sql_login="")
    with pytest.raises(EnvironmentFileError) as caught:
        write_starter(path, answers)
    assert {p.key for p in caught.value.problems} == {"tenant", "sql.server", "sql.administrator"}
    assert "would have 3 problems" in caught.value.what
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        ("sql01.contoso.com", ("sql01.contoso.com", 1433)),
        ("SQL01 , 14330", ("sql01", 14330)),
    ],
)
def test_a_machine_is_given_as_host_or_host_and_port(text: str, machine: tuple[str, int]) -> None:
    assert machine_of(text) == machine
    answers = dataclasses.replace(ANSWERS, machine=machine)
    assert str(answers.environment().sql.machine) == f"{machine[0]},{machine[1]}"


@pytest.mark.parametrize("text", ["", ",1433", "sql01,", "sql01,tds", "sql01,1,2", "sql01,-1"])
def test_what_names_no_machine_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no machine"):
        machine_of(text)


def test_a_folder_that_cannot_be_written_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        write_starter(tmp_path / "file" / "prod.yaml", ANSWERS)


def test_hostile_answers_are_written_exactly(tmp_path: Path) -> None:
    hostile = "x]; DROP TABLE t-- ${HOME} %s: # 'o\"brien' Ünïcode 表"
    path = tmp_path / "prod.yaml"
    write_starter(path, dataclasses.replace(ANSWERS, sql_login=hostile, profile=hostile))
    environment = load(str(path)).environment
    assert environment.sql.administrator.sql_login == hostile
    assert environment.profile.name == hostile


def test_derived_names_differ_between_subscriptions_and_stay_the_same() -> None:
    one = derived_names("prod", "11111111-2222-3333-4444-555555555551")
    other = derived_names("prod", "11111111-2222-3333-4444-555555555552")
    assert one == derived_names("prod", "11111111-2222-3333-4444-555555555551")
    assert one.server != other.server
    assert one.vault != other.vault


@pytest.mark.parametrize("name", ["public", "usgov", "china"])
def test_a_cloud_is_found_by_its_name(name: str) -> None:
    environment = dataclasses.replace(ANSWERS, cloud=name).environment()
    assert cloud_of(environment) == CLOUDS[name]


def test_the_sandbox_is_the_one_that_the_variable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = sandbox_answers(SANDBOX, "demo").environment()
    monkeypatch.delenv(SANDBOX_VARIABLE, raising=False)
    with pytest.raises(UsageError, match=SANDBOX_VARIABLE):
        cloud_of(environment)
    (tmp_path / "sandbox.json").write_text(json.dumps(SANDBOX), encoding="utf-8")
    monkeypatch.setenv(SANDBOX_VARIABLE, os.fspath(tmp_path))
    assert cloud_of(environment).discovery == "https://127.0.0.1:4704"


def test_a_discovery_host_in_the_file_takes_precedence() -> None:
    environment = ANSWERS.environment()
    own = environment.export_service.model_copy(update={"discovery": "https://export.contoso.com"})
    cloud = cloud_of(environment.model_copy(update={"export_service": own}))
    assert cloud.discovery == "https://export.contoso.com"
    assert cloud.authority == CLOUDS["public"].authority
