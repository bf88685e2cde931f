"""All that the export service can do is within reach of a command."""

from __future__ import annotations

import inspect
import re
import sqlite3
from contextlib import closing, suppress
from typing import Any

from jsonschema import Draft202012Validator

from setup_kit.export_service.metadata import Metadata
from setup_kit.export_service.models import Description
from setup_kit.export_service.profiles import Profiles
from setup_kit.report.schemas import SCHEMAS
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.owner import Owner

NAME = "operated"
ROOT = "/crm/exporter/"
ID = "an-id"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Operation = tuple[str, str]


class _Noted(Exception):  # noqa: N818 - ends a call before it is sent
    pass


class _Notebook:
    """Stands where the client's wire would be, and notes the request that an operation would send."""

    discovery = connector = organization_url = organization_id = ""

    def __init__(self) -> None:
        self.operations: set[Operation] = set()

    def call(self, method: str, host: str, path: str, *rest: Any, **more: Any) -> Any:
        self.operations.add((method, path))
        raise _Noted

    answer = call


def operations() -> set[Operation]:
    """Method and path of every operation that the client of the service's contract has."""
    notebook = _Notebook()
    for part in (Metadata, Profiles):
        for name, operation in inspect.getmembers(part, inspect.isfunction):
            if not name.startswith("_"):
                parameters = list(inspect.signature(operation).parameters.values())[1:]
                given = [_example(str(each.annotation)) for each in parameters if each.default is each.empty]
                with suppress(_Noted):
                    operation(part(notebook), *given)  # type: ignore[arg-type]
    return notebook.operations


def _example(annotation: str) -> object:
    return Description("", "", "", (), "") if annotation == "Description" else ID


def forget_consent(kit: Kit) -> None:
    with closing(sqlite3.connect(kit.sandbox_folder / "service" / "service.db")) as database, database:
        database.execute("DELETE FROM privacy_terms")


def read(kit: Kit, command: str, schema: str) -> Any:
    found = kit.run(*command.split(), "-e", NAME, "--output", "json").succeeded().json
    Draft202012Validator(SCHEMAS[schema]).validate(found)
    return found


def test_every_operation_of_the_service_is_reached_by_a_command(kit: Kit, dev: str) -> None:
    environment = kit.beside(NAME, dev, name="Operated", prefix=NAME, entities=["team"], activate="none")
    before = len(kit.requests())
    forget_consent(kit)
    assert kit.run("org", "privacy", "-e", NAME).code == 4
    for command in (
        "org privacy accept --yes",
        "org entities",
        "org relationships",
        "profile create --yes",
        "profile validate",
        "profile activate --metadata --yes",
        "profile activate --data --yes",
        "profile deactivate --yes",
        "profile activate --yes",
        "profile test",
        "failures summary",
    ):
        kit.run(*command.split(), "-e", NAME).succeeded()
    found = read(kit, "org discover", "organization")["organization"]
    assert found["id"] == kit.document["organization"]["id"]
    assert read(kit, "org list", "organizations")["organizations"] == [found]
    assert read(kit, "org connector", "connector")["connector_url"] == found["connector_url"]
    assert read(kit, "org privacy", "privacy")["accepted"] is True
    profile = read(kit, "profile show", "profile")["profile"]
    assert {**profile, "statuses": []} in read(kit, "profile list", "profiles")["profiles"]

    kit.edit(NAME, profile__retry={"count": 3, "interval_seconds": 0})
    changed = kit.run("profile", "update", "-e", NAME, "--yes", "--output", "json").succeeded().json
    assert {change["target"] for change in changed["changes"]} == {"retry.count", "retry.interval_seconds"}

    shown = kit.run("profile", "show", "-e", NAME, "-v").succeeded().text
    assert environment["key_vault"]["secret"] in shown
    assert Owner(kit, environment).secret()["value"].split("Password=")[1].split(";")[0] not in shown

    asked = kit.run("profile", "delete", "-e", NAME)
    assert asked.code == 2
    assert asked.out.count("destructive") == 2
    kit.run("profile", "delete", "-e", NAME, "--yes").succeeded()
    assert kit.run("profile", "show", "-e", NAME).code == 1
    update = kit.run("profile", "update", "-e", NAME, "--yes")
    assert update.code == 1
    assert "setup-kit profile create" in update.err

    sent = {
        (request["method"], GUID.sub(ID, request["path"]).removeprefix(ROOT))
        for request in kit.requests()[before:]
        if request["path"].startswith(ROOT)
    }
    wanted = operations()
    assert len(wanted) == 19
    assert wanted - sent == set()
