"""What users of the nearest tools ask for, seen from outside: what one apply sends, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.owner import Owner

Request = dict[str, Any]


@pytest.fixture(scope="session")
def sent(kit: Kit) -> list[Request]:
    """What a first apply of an environment sent, and the service for it."""
    kit.init("wished", profile__prefix="wished", profile__entities=["team"], profile__relationships=[])
    before = len(kit.requests())
    kit.apply("wished").succeeded()
    return kit.requests()[before:]


def first(sent: list[Request], **what: str) -> int:
    return next(n for n, each in enumerate(sent) if all(each[key] == value for key, value in what.items()))


def test_the_kit_writes_the_string_itself_and_logs_in_with_it_before_it_calls_the_service(sent: list[Request]) -> None:
    written = first(sent, part="key-vault", method="PUT")
    logged_in = first(sent, part="sql", method="LOGIN", caller="dataexport")
    validated = first(sent, part="export-service", path="/crm/exporter/profiles/validate")
    assert written < logged_in < validated


def test_the_cloud_is_the_state_every_resource_is_read_before_it_is_written(sent: list[Request]) -> None:
    read: set[str] = set()
    written = []
    for each in sent:
        path = each["path"].lower().rstrip("/")
        if each["method"] == "GET":
            read.add(path)
        elif each["method"] == "PUT":
            written.append(path)
            # By itself, in the list of its kind, or by what it is in, which was not there yet.
            steps = path.split("/")
            within = {"/".join(steps[:end]) for end in range(len(steps))}
            assert path in read or {place for place in within if "/providers/" in place} & read, each
    assert len(written) > 8


def test_the_tenant_of_the_file_is_passed_to_every_credential(kit: Kit, sent: list[Request]) -> None:
    tokens = [each["path"] for each in sent if each["part"] == "entra" and each["method"] == "POST"]
    assert {path.split("/")[1] for path in tokens} == {kit.document["tenant_id"]}


def test_changed_and_unchanged_are_told_apart_and_so_is_what_was_not_reached(kit: Kit, sent: list[Request]) -> None:
    assert sent
    kit.edit("wished", sql__firewall__rules=[{"name": "home", "start": "198.51.100.7", "end": "198.51.100.7"}])
    told = kit.apply("wished").succeeded().json
    assert {change["target"]: change["action"] for change in told["changes"]} == {"home": "create"}
    assert told["summary"]["created"] == 1
    assert told["summary"]["unchanged"] > 10


def test_the_password_is_made_once_and_kept_in_key_vault_only(kit: Kit, sent: list[Request]) -> None:
    assert sent
    owner = Owner(kit, kit.edit("wished"))
    password = parse_ado_net(Secret(owner.secret()["value"])).password
    assert password is not None
    kit.apply("wished").succeeded()
    assert len(owner.secret_versions()) == 1
    kept = [path for path in kit.folder.rglob("*") if path.is_file() and kit.sandbox_folder not in path.parents]
    assert kit.path("wished") in kept
    assert not [path for path in kept if password.reveal().encode() in path.read_bytes()]


def test_rules_by_region_neighbours_included_network_rules_of_the_vault_checked(kit: Kit) -> None:
    kit.init("regional", sql__firewall__service_region="West US", profile__entities=["team"])
    kit.run("firewall", "allow-service", "-e", "regional", "--yes").succeeded()
    kit.run("vault", "create", "-e", "regional", "--yes").succeeded()
    owner = Owner(kit, kit.edit("regional"))
    rules = owner.manage("GET", f"{owner.server}/firewallRules")["value"]
    neighbours = {each["properties"]["startIpAddress"] for each in rules if each["name"].startswith("data-export")}
    assert neighbours == {"23.96.92.86", "40.112.139.218"}
    closed = {"networkAcls": {"defaultAction": "Deny", "bypass": "None", "ipRules": [{"value": "23.96.92.86"}]}}
    owner.manage("PATCH", owner.vault, {"properties": closed})
    verified = kit.run("verify", "-e", "regional", "--output", "json").failed(4).json
    [finding] = [each for each in verified["findings"] if each["check"] == "key_vault.network"]
    assert (finding["status"], "40.112.139.218 (West US)" in finding["message"]) == ("warning", True)
    assert "23.96.92.86 (" not in finding["message"]
    assert finding["remedy"].endswith("--ip-address 40.112.139.218")
